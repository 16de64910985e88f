"""One table out of three buckets."""

import pandas as pd
import pytest

from dminity.amenities import NAMES
from dminity.merging import BadMerge, count, merge

BOX = {"xmin": 0.1, "xmax": 0.5, "ymin": 0.1, "ymax": 0.5}


def images(*ids_and_splits: tuple[str, str]) -> pd.DataFrame:
    """A table of images."""
    return pd.DataFrame(ids_and_splits, columns=["image_id", "split"])


def boxes(*rows: tuple[str, str, str], **corners: float) -> pd.DataFrame:
    """A table of boxes: (image id, split, label), all with the same corners."""
    table = pd.DataFrame(rows, columns=["image_id", "split", "label"])
    return table.assign(**(BOX | corners))


ONE_EACH = images(("a", "train"), ("b", "validation"), ("c", "test"))
BEDS = boxes(("a", "train", "Bed"), ("b", "validation", "Bed"), ("c", "test", "Bed"))


def test_a_class_filter_keeps_its_boxes_and_the_images_that_show_them() -> None:
    table = pd.concat([BEDS, boxes(("a", "train", "Sink"), ("d", "train", "Sink"))])
    kept_images, kept_boxes = merge(table, pd.concat([ONE_EACH, images(("d", "train"))]), ("Bed",))
    assert list(kept_images["image_id"]) == ["a", "b", "c"]
    assert list(kept_boxes["label"]) == ["Bed"] * 3


def test_boxes_of_images_that_were_not_fetched_are_left_out() -> None:
    _, kept = merge(pd.concat([BEDS, boxes(("z", "train", "Bed"))]), ONE_EACH, NAMES)
    assert list(kept["image_id"]) == ["a", "b", "c"]


def test_degenerate_boxes_are_left_out() -> None:
    line = boxes(("a", "train", "Sink"), xmin=0.5, xmax=0.5)
    _, kept = merge(pd.concat([BEDS, line]), ONE_EACH, NAMES)
    assert list(kept["label"]) == ["Bed"] * 3


def test_an_image_in_two_splits_is_refused() -> None:
    with pytest.raises(BadMerge, match="image a comes twice, in train and test; remove data/index"):
        merge(BEDS, pd.concat([ONE_EACH, images(("a", "test"))]), NAMES)


def test_an_empty_split_is_refused() -> None:
    with pytest.raises(BadMerge, match="no test image shows any of: Bed; choose more classes"):
        merge(BEDS[BEDS["split"] != "test"], ONE_EACH, ("Bed",))


def test_counts() -> None:
    table = pd.concat([BEDS, boxes(("a", "train", "Bed"))])
    counts = count(ONE_EACH, table, ("Bed", "Sink"))
    assert counts["images"] == {"train": 1, "validation": 1, "test": 1}
    assert counts["boxes"] == {"train": 2, "validation": 1, "test": 1}
    assert counts["per_class"]["Bed"]["train"] == {"images": 1, "boxes": 2}
    assert counts["per_class"]["Sink"]["test"] == {"images": 0, "boxes": 0}
