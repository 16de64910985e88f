"""merge: one table of images and one of boxes, of the chosen classes, checked and counted."""

import json

import pandas as pd

from dminity import tables
from dminity.amenities import buckets
from dminity.files import replacing_file
from dminity.merging import count, merge
from dminity.params import load
from dminity.stages import INDEX, MERGED, METRICS, RAW, run


def main() -> None:
    """Join the buckets' photos that are on disk with the boxes of the chosen classes."""
    params = load()
    images = pd.concat(
        [tables.read(INDEX / f"images-{bucket}.parquet") for bucket in buckets()],
        ignore_index=True,
    )
    on_disk = {path.stem for path in RAW.glob("*/*/*.jpg")}
    images = images[images["image_id"].isin(on_disk)]
    boxes = tables.read(INDEX / "boxes.parquet")
    images, boxes = merge(boxes, images, params.classes)
    tables.write(images, MERGED / "images.parquet", tables.IMAGES)
    tables.write(boxes, MERGED / "boxes.parquet", tables.BOXES)
    with replacing_file(MERGED / "classes.txt") as path:
        path.write_text("".join(f"{name}\n" for name in params.classes), encoding="utf-8")
    with replacing_file(METRICS / "data.json") as path:
        path.write_text(json.dumps(count(images, boxes, params.classes), indent=2) + "\n")


if __name__ == "__main__":
    run(main)
