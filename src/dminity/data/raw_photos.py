"""Where published photos lie: data/raw/<bucket>/<split>/<image id>.jpg."""

from pathlib import Path

import pandas as pd


def raw_photo(bucket_folder: Path, split: str, image_id: str) -> Path:
    """Where a photo lies below the folder of its bucket."""
    return bucket_folder / split / f"{image_id}.jpg"


def raw_photos(folder: Path, images: pd.DataFrame) -> list[Path]:
    """Where each photo of a table like `tables.IMAGES` lies below data/raw, in its order."""
    rows = zip(images["bucket"], images["split"], images["image_id"], strict=True)
    return [raw_photo(folder / bucket, split, image_id) for bucket, split, image_id in rows]
