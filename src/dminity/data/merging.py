"""One table of images and one of boxes, out of three buckets: checked, filtered, counted."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dminity.core.errors import DminityError
from dminity.core.splits import SPLITS
from dminity.data import naming, tables
from dminity.data.settings import MarkedPolicies, Policies

# Open Images publishes photos of 1024 pixels: what is thinner than one of them shows nothing.
THINNEST_NORMALIZED = 1 / 1024
# From the mildest to the strictest.
POLICIES = ("keep", "ignore", "drop")
# Why a box is left out.
FAULTS = ("outside", "reversed", "thin", "marked", "double", "ignored alone")
# Of the width and height of a box: two of one class whose sides lie closer are of one thing.
DOUBLE_WITHIN = 0.05


class BadMerge(DminityError):
    """The buckets contradict each other, or nothing is left of a split."""


class Merged(NamedTuple):
    """What is trained on and evaluated with, and what was left out.

    images, boxes and verified are tables as in `tables`, boxes with `difficult`; verified has the
    classes of which all places are known, or that there is none. no_box: images all of whose boxes
    were left out, with the `reason`. left_out: how many boxes were, by `FAULTS`.
    """

    images: pd.DataFrame
    boxes: pd.DataFrame
    verified: pd.DataFrame
    no_box: pd.DataFrame
    left_out: dict[str, int]


def merge(
    boxes: pd.DataFrame,
    verified: pd.DataFrame,
    images: pd.DataFrame,
    classes: tuple[str, ...],
    marked: MarkedPolicies,
    hierarchy: bool,
) -> Merged:
    """The images that show one of `classes`, with what is known of `classes` in them.

    Args:
        boxes: a table as `tables.BOXES`.
        verified: a table as `tables.VERIFIED`.
        images: a table as `tables.IMAGES`, of the photos that are there.
        classes: names of amenities.
        marked: what becomes of boxes with flags.
        hierarchy: whether a kind of one of `classes` that is none of them counts as that one.

    Raises:
        BadMerge: if an image comes twice, or a split is left without an image.
    """
    _refuse_twice(images)
    came = boxes[boxes["image_id"].isin(images["image_id"])]
    chosen = naming.named(came, classes, hierarchy)
    ignored, faults = _judged(chosen, marked, hierarchy)
    kept = chosen[faults == ""].assign(difficult=ignored)
    shown = images["image_id"].isin(chosen["image_id"])
    left = images["image_id"].isin(kept["image_id"])
    _refuse_empty(images[shown], images[left], classes)
    concerned = came[came["image_id"].isin(kept["image_id"])]
    # A box that is dropped for its flag has its place: that it is background is what was chosen.
    known = naming.agreed(
        verified[verified["image_id"].isin(kept["image_id"])],
        concerned,
        faults_of(concerned) == "",
        hierarchy,
    )
    return Merged(
        images[left].reset_index(drop=True),
        kept.reset_index(drop=True),
        known[known["label"].isin(classes)].reset_index(drop=True),
        _with_reasons(images[shown & ~left], chosen[faults == "ignored alone"]),
        {fault: int((faults == fault).sum()) for fault in FAULTS},
    )


def _refuse_twice(images: pd.DataFrame) -> None:
    """Refuse an image that is in two splits or two buckets."""
    twice = images[images["image_id"].duplicated(keep=False)]
    if len(twice):
        image_id = twice["image_id"].iloc[0]
        splits = " and ".join(twice.loc[twice["image_id"] == image_id, "split"])
        raise BadMerge(f"image {image_id} comes twice, in {splits}; remove data/index and repeat")


def _refuse_empty(shown: pd.DataFrame, left: pd.DataFrame, classes: tuple[str, ...]) -> None:
    """Refuse a split without an image.

    shown, left: images that show one of `classes`, and those of them that are used.
    """
    names = ", ".join(classes)
    for split in SPLITS:
        if (left["split"] == split).any():
            continue
        if (shown["split"] == split).any():
            raise BadMerge(
                f"no {split} image has a box to use of any of: {names}; those that there are show "
                "nothing, or `marked` drops or ignores them: choose more classes, or change marked"
            )
        raise BadMerge(
            f"no {split} image shows any of: {names}; choose more classes, or raise limit_per_class"
        )


def _with_reasons(images: pd.DataFrame, ignored_alone: pd.DataFrame) -> pd.DataFrame:
    """Images that are not used, and why; `ignored_alone`: boxes that would teach nothing."""
    of_ignored = images["image_id"].isin(ignored_alone["image_id"])
    reasons = np.where(of_ignored, "ignored boxes alone", "no box left")
    return images.assign(reason=reasons).reset_index(drop=True)


def _judged(
    boxes: pd.DataFrame, marked: MarkedPolicies, hierarchy: bool
) -> "tuple[pd.Series[bool], pd.Series[str]]":
    """Of each box whether it is ignored, and why it is left out, or "" if it is not."""
    policies = _policies_of(boxes, marked)
    ignored = policies == "ignore"
    faults = faults_of(boxes).mask(policies == "drop", "marked")
    if hierarchy:
        usable = boxes.assign(difficult=ignored)[faults == ""]
        faults.loc[usable.index[_are_double(usable)]] = "double"
    # What is ignored teaches nothing: a training photo wants more than that.
    of_use = (faults == "") & ((boxes["split"] != "train") | ~ignored)
    in_vain = ~boxes["image_id"].isin(boxes.loc[of_use, "image_id"])
    return ignored, faults.mask((faults == "") & in_vain, "ignored alone")


def _are_double(boxes: pd.DataFrame) -> NDArray[np.bool_]:
    """Which boxes lie where one before them does, of the same photo, class and use: [N].

    People may have drawn one thing twice, as a Loveseat and as a Couch: by the hierarchy that would
    be two couches. The index does not tell which name was published.
    """
    things = boxes.groupby(["image_id", "label", "difficult"], sort=False).ngroup().to_numpy()
    order = np.argsort(things, kind="stable")
    corners = boxes[tables.CORNERS].to_numpy(np.float64)
    double = np.zeros(len(boxes), np.bool_)
    # Each with the next one of its group, then with the one after that, and so on.
    for distance in range(1, len(boxes)):
        first, second = order[:-distance], order[distance:]
        together = things[first] == things[second]
        if not together.any():
            break
        first, second = first[together], second[together]
        sides = np.tile(corners[first, 2:] - corners[first, :2], 2)
        apart = np.abs(corners[first] - corners[second])
        double[second[(apart <= DOUBLE_WITHIN * sides).all(axis=1)]] = True
    return double


def _policies_of(boxes: pd.DataFrame, marked: MarkedPolicies) -> "pd.Series[str]":
    """The policy for each box: the strictest among its flags, for its split."""
    strictness = np.zeros(len(boxes), int)
    training = (boxes["split"] == "train").to_numpy()
    for flag in tables.FLAGS:
        policies: Policies = getattr(marked, flag)
        of_flag = np.where(
            training, POLICIES.index(policies.training), POLICIES.index(policies.evaluation)
        )
        has_flag = boxes[flag].fillna(False).to_numpy(bool)
        strictness = np.maximum(strictness, of_flag * has_flag)
    return pd.Series(np.array(POLICIES)[strictness], boxes.index)


def faults_of(boxes: pd.DataFrame) -> "pd.Series[str]":
    """Why each row of a table of boxes shows nothing, or "" if it shows something.

    `outside` of the photo, `reversed` corners, or `thin`: less than a pixel of 1024.
    """
    corners = boxes[tables.CORNERS]
    width = boxes["xmax"] - boxes["xmin"]
    height = boxes["ymax"] - boxes["ymin"]
    faults = pd.Series("", boxes.index)
    faults = faults.mask((width < THINNEST_NORMALIZED) | (height < THINNEST_NORMALIZED), "thin")
    faults = faults.mask((width < 0) | (height < 0), "reversed")
    return faults.mask(~(corners.ge(0) & corners.le(1)).all(axis=1), "outside")


def count(merged: Merged, classes: tuple[str, ...]) -> dict[str, Any]:
    """Images and boxes of each split, in all and per class."""
    images, boxes = merged.images, merged.boxes
    in_split = {split: boxes[boxes["split"] == split] for split in SPLITS}
    return {
        "images": by_split(images),
        "boxes": {split: len(rows) for split, rows in in_split.items()},
        "boxes_left_out": merged.left_out,
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


def by_split(images: pd.DataFrame) -> dict[str, int]:
    """How many rows of a table of images each split has."""
    return {split: int((images["split"] == split).sum()) for split in SPLITS}
