"""One table of images and one of boxes, out of three buckets: checked, filtered, counted."""

from typing import Any

import pandas as pd

from dminity import tables
from dminity.errors import DminityError

# Open Images publishes photos of 1024 pixels: what is thinner than one of them shows nothing.
THINNEST_NORMALIZED = 1 / 1024


class BadMerge(DminityError):
    """The buckets contradict each other, or nothing is left of a split."""


def merge(
    boxes: pd.DataFrame, images: pd.DataFrame, classes: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The images that show one of `classes`, and their boxes of `classes`.

    Raises:
        BadMerge: if an image comes twice, or a split is left without an image.
    """
    twice = images[images["image_id"].duplicated(keep=False)]
    if len(twice):
        image_id = twice["image_id"].iloc[0]
        places = " and ".join(twice.loc[twice["image_id"] == image_id, "split"])
        raise BadMerge(f"image {image_id} comes twice, in {places}; remove data/index and repeat")
    boxes = boxes[boxes["label"].isin(classes) & ~degenerate(boxes)]
    images = images[images["image_id"].isin(boxes["image_id"])]
    boxes = boxes[boxes["image_id"].isin(images["image_id"])]
    for split in tables.SPLITS:
        if not (images["split"] == split).any():
            raise BadMerge(
                f"no {split} image shows any of: {', '.join(classes)}; choose more classes, or "
                "raise limit_per_class"
            )
    return images.reset_index(drop=True), boxes.reset_index(drop=True)


def degenerate(boxes: pd.DataFrame) -> "pd.Series[bool]":
    """Which boxes are too thin to show anything."""
    sides = pd.concat([boxes["xmax"] - boxes["xmin"], boxes["ymax"] - boxes["ymin"]], axis=1)
    return sides.lt(THINNEST_NORMALIZED).any(axis=1)


def count(
    images: pd.DataFrame, boxes: pd.DataFrame, classes: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Images and boxes of each split, in all and per class."""
    in_split = {split: boxes[boxes["split"] == split] for split in tables.SPLITS}
    return {
        "images": {split: int((images["split"] == split).sum()) for split in tables.SPLITS},
        "boxes": {split: len(rows) for split, rows in in_split.items()},
        "per_class": {
            label: {
                split: {
                    "images": int(rows.loc[rows["label"] == label, "image_id"].nunique()),
                    "boxes": int((rows["label"] == label).sum()),
                }
                for split, rows in in_split.items()
            }
            for label in classes
        },
    }
