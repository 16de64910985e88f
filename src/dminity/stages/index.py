"""index: every box of the 30 amenities, and the photos that each bucket is to fetch."""

import pandas as pd
from tqdm import tqdm

from dminity import tables
from dminity.amenities import NAMES, buckets
from dminity.errors import DminityError
from dminity.params import load
from dminity.picking import pick
from dminity.sources import Source, open_source
from dminity.stages import INDEX, run


class NoBoxes(DminityError):
    """A class has no box in the source."""


def main() -> None:
    """Read the source's boxes once, pick images, write the tables."""
    params = load()
    source = open_source(params.source, params.openimages, params.demo, params.seed)
    boxes = read_boxes(source)
    images = pick(boxes, params.limit_per_class, params.seed)
    boxes = boxes[boxes["image_id"].isin(images["image_id"])]
    order = ["split", "image_id", "label", *tables.CORNERS]
    tables.write(boxes.sort_values(order), INDEX / "boxes.parquet", tables.BOXES)
    for bucket in buckets():
        rows = images[images["bucket"] == bucket]
        tables.write(rows, INDEX / f"images-{bucket}.parquet", tables.IMAGES)


def read_boxes(source: Source) -> pd.DataFrame:
    """The boxes of all splits; refuses a class without a single one, or says so if it may be."""
    splits = tqdm(tables.SPLITS, "index", unit="split")
    boxes = pd.concat([source.boxes(split) for split in splits], ignore_index=True)
    empty = [name for name in NAMES if name not in set(boxes["label"])]
    if empty and not source.partial:
        raise NoBoxes(
            f"no box at all of: {', '.join(empty)}; if the source holds only a part of Open "
            "Images, set openimages.partial to true"
        )
    if empty:
        print(f"no box of: {', '.join(empty)}")
    return boxes


if __name__ == "__main__":
    run(main)
