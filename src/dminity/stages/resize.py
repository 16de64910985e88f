"""resize: published photos to training photos, straight into the VOC folder."""

import pandas as pd

from dminity.core.files import replacing_folder
from dminity.core.memory import keep_freed_memory
from dminity.core.stage import MERGED, RAW, VOC, run
from dminity.data import tables
from dminity.data.raw_photos import raw_photos
from dminity.data.resizing import resize_photos
from dminity.params import load_params


def main() -> None:
    """Resize every photo of the merged table, and write down the sizes that they have then."""
    keep_freed_memory()
    params = load_params()
    images = tables.read(MERGED / "images.parquet", tables.IMAGES)
    with replacing_folder(VOC / "JPEGImages") as folder:
        targets = [folder / f"{image_id}.jpg" for image_id in images["image_id"]]
        photos = zip(raw_photos(RAW, images), targets, strict=True)
        sizes = resize_photos(photos, params.image_size, params.jpeg_quality)
    rows = pd.DataFrame(sizes, columns=["width", "height"])
    rows.insert(0, "image_id", images["image_id"])
    tables.write(rows, VOC / "sizes.parquet", tables.SIZES)


if __name__ == "__main__":
    run(main)
