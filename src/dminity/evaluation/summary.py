"""What metrics/evaluate.json and metrics/per_class.csv say: figures, named by their protocols."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation import coco, openimages, pascal_voc
from dminity.evaluation.intervals import Estimate, Resampled, resample
from dminity.evaluation.matches import Matches, average_precision, curves, mean_of_known

DECIMALS = 4
Figures = dict[str, float | int | None]


@dataclass(frozen=True)
class Photos:
    """The photos of a split, what is in them and what was found.

    truths, detections: of each photo. published: what Open Images says of the same photos. table:
    the detections, as `detection_table` has them. classes: their names.
    """

    truths: list[GroundTruth]
    detections: list[Detections]
    published: openimages.Published
    table: pd.DataFrame
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """What the protocols make of some photos.

    scores: COCO's. coco, voc, openimages: what is right. resampled: by the name of a figure.
    """

    photos: Photos
    scores: coco.Scores
    coco: Matches
    voc: Matches
    openimages: Matches
    resampled: dict[str, Resampled]


def evaluate(photos: Photos) -> Evaluation:
    """Match by each protocol, and draw the photos anew."""
    by_coco = coco.match(photos.truths, photos.detections, photos.classes)
    by_voc = pascal_voc.match(photos.truths, photos.detections, photos.classes)
    by_openimages = openimages.match(photos.published, photos.table, photos.classes)
    ap, ap50 = resample(by_coco)
    resampled = {
        "coco.AP": ap,
        "coco.AP50": ap50,
        "voc.AP50": resample(by_voc)[1],
        "openimages.AP50": resample(by_openimages)[1],
    }
    return Evaluation(photos, coco.scores(by_coco), by_coco, by_voc, by_openimages, resampled)


def figures(found: Evaluation) -> dict[str, Figures]:
    """The figures of each protocol, 0-1, by its name; None where nothing is to be found."""
    photos = found.photos
    every = coco.figures(photos.truths, photos.detections, photos.classes)
    if found.coco.positives.any():
        every |= {"precision": found.scores.precision, "recall": found.scores.recall}
    else:
        every |= dict.fromkeys(("precision", "recall"), np.nan)
    # No option, but a second figure: it is what people gave until 2017, and often do today.
    groups_ignored = average_precision(
        openimages.match(
            photos.published, photos.table, photos.classes, openimages.Rules(group_weight=0)
        )
    )
    of_protocols: dict[str, Figures] = {
        "coco": {name: _known(value) for name, value in every.items()},
        "voc": {},
        "openimages": {"AP50_groups_ignored": _known(mean_of_known(groups_ignored))},
    }
    matches = {"coco": found.coco, "voc": found.voc, "openimages": found.openimages}
    return {
        name: _limits(found, name) | own | {"boxes": int(matches[name].positives.sum())}
        for name, own in of_protocols.items()
    }


def _limits(found: Evaluation, protocol: str) -> Figures:
    """Figures of a protocol with the limits of their intervals."""
    limits: Figures = {}
    for name, each in found.resampled.items():
        if name.startswith(f"{protocol}."):
            limits |= _named(name.removeprefix(f"{protocol}."), each.mean())
    return limits


def _named(name: str, estimate: Estimate) -> Figures:
    """A figure, and `_low` and `_high`, the limits of its interval."""
    parts = {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return {part: _known(value) for part, value in parts.items()}


def _known(value: float) -> float | None:
    """A figure, rounded; None in place of NaN, which JSON has not."""
    return None if np.isnan(value) else round(value, DECIMALS)


def class_table(found: Evaluation) -> pd.DataFrame:
    """One row per class; empty where nothing is to be found.

    `class`; `photos` and `boxes` that count for COCO and Pascal VOC; each figure with its interval;
    `openimages.boxes`, groups and kinds of the class included; `coco.precision` and `coco.recall`
    where their harmonic mean is best, at IoU 0.50.
    """
    curve = curves(found.coco, coco.RECALLS)
    rows = []
    for position, name in enumerate(found.photos.classes):
        counts = found.coco.positives[:, position]
        row: dict[str, object] = {
            "class": name,
            "photos": int((counts > 0).sum()),
            "boxes": int(counts.sum()),
            "openimages.boxes": int(found.openimages.positives[:, position].sum()),
        }
        for figure, each in found.resampled.items():
            row |= _named(figure, each.of_class(position))
        if counts.any():
            row["coco.precision"], row["coco.recall"] = coco.best_point(curve[:, position])
        rows.append(row)
    figures_with_limits = [
        f"{figure}{limit}" for figure in found.resampled for limit in ("", "_low", "_high")
    ]
    columns = ["class", "photos", "boxes", "openimages.boxes", *figures_with_limits]
    return pd.DataFrame(rows, columns=[*columns, "coco.precision", "coco.recall"])
