"""One report of the data as they stand: how many of what, how large, and what is wrong."""

from dataclasses import dataclass

import pandas as pd

from dminity.core.splits import SPLITS
from dminity.data.checking.duplicates import duplicates
from dminity.data.merging import faults_of

# COCO's areas, in pixels of the training photo: https://cocodataset.org/#detection-eval
SMALL_PIXELS, LARGE_PIXELS = 32**2, 96**2
DECIMALS = 4


@dataclass(frozen=True)
class Report:
    """What the data are like.

    classes: one row per class; `{split}_photos` and `{split}_boxes` in use, the same with
    `published_` before them that the source has, and of the boxes in use the shares that are
    `small`, `medium` and `large`, and of the published ones the share of `groups`. figures: of all
    classes together. faults: a line for each thing that is wrong, with the mend.
    """

    classes: pd.DataFrame
    figures: dict[str, float]
    faults: list[str]


def report(
    published: pd.DataFrame,
    images: pd.DataFrame,
    boxes: pd.DataFrame,
    classes: tuple[str, ...],
    image_size: int,
    near_bits: int,
) -> Report:
    """Count, measure and compare.

    published: all boxes of `classes` that the source has, as `tables.BOXES`. images: those in use,
    as `tables.IMAGES`, each with its `Fingerprint`. boxes: those in use, as `tables.MERGED_BOXES`.
    image_size: the long side of training photos in pixels.
    """
    readable = images[images["width"] > 0]
    twins = duplicates(readable, near_bits)
    out_of_range = boxes[faults_of(boxes).isin(["outside", "reversed"])]
    in_train = boxes[boxes["split"] == "train"]["label"].value_counts().reindex(classes)
    areas = _areas_pixels(boxes, readable, image_size)
    figures = {
        "photos": len(images),
        "boxes": len(boxes),
        "unreadable_photos": len(images) - len(readable),
        "exact_duplicates": int(twins["exact"].sum()),
        "near_duplicates": int((~twins["exact"]).sum()),
        "boxes_out_of_range": len(out_of_range),
        "published_boxes_out_of_range": int(
            faults_of(published).isin(["outside", "reversed"]).sum()
        ),
        "classes_without_training_boxes": int(in_train.isna().sum()),
        "imbalance": float(in_train.max() / in_train.min()),
        "groups": _share(published["is_group_of"]),
    } | _sizes(areas)
    return Report(
        _class_table(published, boxes, areas, classes),
        {name: round(value, DECIMALS) for name, value in figures.items()},
        _faults(images[images["width"] == 0], twins, out_of_range),
    )


def _areas_pixels(boxes: pd.DataFrame, photos: pd.DataFrame, image_size: int) -> "pd.Series[float]":
    """The area of each box in pixels of its training photo; NaN where the photo is unreadable."""
    sides = boxes[["image_id"]].merge(photos, "left", "image_id")[["width", "height"]]
    long_side = sides.max(axis=1)
    scale = long_side.clip(upper=image_size) / long_side
    normalized = (boxes["xmax"] - boxes["xmin"]) * (boxes["ymax"] - boxes["ymin"])
    areas = normalized.to_numpy() * (sides["width"] * sides["height"] * scale**2).to_numpy()
    return pd.Series(areas, boxes.index)


def _sizes(areas: "pd.Series[float]") -> dict[str, float]:
    """The shares of small, medium and large boxes, of those whose photo can be read."""
    known = areas.dropna()
    return {
        "small": _share(known < SMALL_PIXELS),
        "medium": _share((known >= SMALL_PIXELS) & (known < LARGE_PIXELS)),
        "large": _share(known >= LARGE_PIXELS),
    }


def _share(which: "pd.Series[bool]") -> float:
    """The share of true values; 0 of none."""
    known = which.dropna()
    return float(known.astype(bool).mean()) if len(known) else 0.0


def _class_table(
    published: pd.DataFrame,
    boxes: pd.DataFrame,
    areas: "pd.Series[float]",
    classes: tuple[str, ...],
) -> pd.DataFrame:
    """One row per class, as in `Report.classes`."""
    return pd.DataFrame(
        [
            {"class": name}
            | _counts(boxes[boxes["label"] == name], "")
            | _counts(published[published["label"] == name], "published_")
            | _sizes(areas[boxes["label"] == name])
            | {"groups": _share(published.loc[published["label"] == name, "is_group_of"])}
            for name in classes
        ]
    ).round(DECIMALS)


def _counts(boxes: pd.DataFrame, prefix: str) -> dict[str, int]:
    """Photos and boxes of each split."""
    found = {}
    for split in SPLITS:
        rows = boxes[boxes["split"] == split]
        found[f"{prefix}{split}_photos"] = int(rows["image_id"].nunique())
        found[f"{prefix}{split}_boxes"] = len(rows)
    return found


def _faults(unreadable: pd.DataFrame, twins: pd.DataFrame, out_of_range: pd.DataFrame) -> list[str]:
    """What is wrong, a line for each kind, with the first of them and the mend."""
    found = []
    if len(unreadable):
        photo = unreadable.iloc[0]
        found.append(
            f"{len(unreadable)} photos are missing or do not decode, as {photo['split']}/"
            f"{photo['image_id']}: delete them and run `dvc repro`"
        )
    for kind, rows in (("the same", twins[twins["exact"]]), ("much alike", twins[~twins["exact"]])):
        if len(rows):
            pair = rows.iloc[0]
            found.append(
                f"{len(rows)} pairs of photos in two splits are {kind}, as {pair['split']}/"
                f"{pair['image_id']} and {pair['other_split']}/{pair['other_id']}: figures on "
                "them are too good; look at them, and leave one of each out"
            )
    if len(out_of_range):
        box = out_of_range.iloc[0]
        found.append(
            f"{len(out_of_range)} boxes are out of range, as one of {box['split']}/"
            f"{box['image_id']}: run `dvc repro merge`"
        )
    return found
