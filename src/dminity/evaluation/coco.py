"""Average precision and recall by COCO's protocol (https://cocodataset.org/#detection-eval).

AP is the mean over IoU 0.50 to 0.95, 101 recall levels and the classes that have a box; at most 100
detections per photo and class count. Ignored boxes are COCO's crowds: a detection of which enough
lies in one is neither right nor wrong; so is a Couch on a Sofa bed, which is a crowd of Couches
here. Equal to pycocotools, in NumPy, for all photos at once.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation.matches import Matches, average_precision, curves, mean_of_known
from dminity.evaluation.overlaps import (
    Floats,
    FoundBoxes,
    Ints,
    Pairs,
    TrueBoxes,
    flat,
    ious,
    is_first,
    overlapping,
    ranks,
    shares,
    with_general_names,
)

IOUS = np.linspace(0.5, 0.95, 10)
IOU_50, IOU_75 = 0, 5
RECALLS = np.linspace(0, 1, 101)
MOST_DETECTIONS = 100
# In square pixels of the photo; both ends belong to a range.
ANY_AREA = (0.0, 1e10)
AREAS = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
NO_BOX = -1


@dataclass(frozen=True)
class Scores:
    """The figures of one evaluation, 0-1; all are 0 if no class has a box.

    precision and recall are those of the point of the mean precision-recall curve at IoU 0.50 where
    their harmonic mean (F1) is best. curve: `recall`, `precision`.
    """

    ap: float
    ap50: float
    ap75: float
    precision: float
    recall: float
    curve: pd.DataFrame


@dataclass(frozen=True)
class Overlaps:
    """Photos made ready to be matched, for whatever range of areas.

    pairs are those of IoU 0.50 or more, of a crowd: of that share of the detection. ious: [K], one
    or the other. ranks: [D], the place of a detection among those of its class and photo.
    """

    found: FoundBoxes
    boxes: TrueBoxes
    pairs: Pairs
    ious: Floats
    ranks: Ints
    photos: int
    classes: int


def score(
    truths: list[GroundTruth], detections: list[Detections], classes: tuple[str, ...]
) -> Scores:
    """Evaluate the detections of each photo against what is in it."""
    return scores(match(truths, detections, classes))


def scores(matches: Matches) -> Scores:
    """Evaluate photos that are matched."""
    found = average_precision(matches)
    # [levels, classes]
    precision = curves(matches, RECALLS)
    known = precision[:, ~np.isnan(precision).any(axis=0)]
    mean_curve = known.mean(axis=1) if known.size else np.zeros(len(RECALLS))
    best_precision, best_recall = best_point(mean_curve)
    return Scores(
        ap=_mean_or_0(found),
        ap50=_mean_or_0(found[IOU_50]),
        ap75=_mean_or_0(found[IOU_75]),
        precision=best_precision,
        recall=best_recall,
        curve=pd.DataFrame({"recall": RECALLS, "precision": mean_curve}),
    )


def _mean_or_0(values: Floats) -> float:
    """The mean over what has a box; 0 if nothing has: a training compares it."""
    return float(np.nan_to_num(mean_of_known(values)))


def figures(
    truths: list[GroundTruth], detections: list[Detections], classes: tuple[str, ...]
) -> dict[str, float]:
    """The twelve figures of pycocotools' summary, by name; NaN where nothing is to be found."""
    overlaps = _overlaps(truths, detections, classes)
    matches = {name: _match(overlaps, area) for name, area in AREAS.items()}
    every = _match(overlaps, ANY_AREA)
    found = average_precision(every)
    precision = {"AP": found, "AP50": found[IOU_50], "AP75": found[IOU_75]}
    precision |= {f"AP_{name}": average_precision(each) for name, each in matches.items()}
    recall = {f"AR{most}": _recall(every, overlaps.ranks < most) for most in (1, 10, 100)}
    recall |= {f"AR_{name}": _recall(each) for name, each in matches.items()}
    return {name: mean_of_known(values) for name, values in (precision | recall).items()}


def match(
    truths: list[GroundTruth], detections: list[Detections], classes: tuple[str, ...]
) -> Matches:
    """Which detections are right, at each of the ten IoUs; boxes of any area count."""
    return _match(_overlaps(truths, detections, classes), ANY_AREA)


def best_point(precision: Floats) -> tuple[float, float]:
    """Precision and recall where their harmonic mean is largest, of a curve at `RECALLS`."""
    total = precision + RECALLS
    f1 = np.divide(2 * precision * RECALLS, total, out=np.zeros_like(total), where=total > 0)
    best = int(f1.argmax())
    return float(precision[best]), float(RECALLS[best]) if precision[best] > 0 else 0.0


def _overlaps(
    truths: list[GroundTruth], detections: list[Detections], classes: tuple[str, ...]
) -> Overlaps:
    """Make photos ready to be matched."""
    found, named = flat(truths, detections)
    boxes = with_general_names(named, classes)
    pairs = overlapping(found, boxes)
    values = np.where(boxes.special[pairs.boxes], shares(pairs, found), ious(pairs, found, boxes))
    enough = values >= IOUS[0]
    places = ranks(found.photos * len(classes) + found.class_ids)
    enough &= places[pairs.found] < MOST_DETECTIONS
    size = (len(truths), len(classes))
    return Overlaps(found, boxes, pairs.where(enough), values[enough], places, *size)


def _match(overlaps: Overlaps, area: tuple[float, float]) -> Matches:
    """Which detections are right, where only boxes of a range of areas count.

    Neither right nor wrong are detections on other boxes, and those on none whose own area is out
    of the range.
    """
    ignored = overlaps.boxes.special | ~_within(overlaps.boxes.areas(), area)
    chosen = _choose(overlaps, ignored)
    right = (chosen != NO_BOX) & ~np.append(ignored, False)[chosen]
    alarms = _within(overlaps.found.areas(), area) & (overlaps.ranks < MOST_DETECTIONS)
    return Matches(
        overlaps.found.photos,
        overlaps.found.class_ids,
        right,
        right | ((chosen == NO_BOX) & alarms),
        overlaps.boxes.counted(~ignored, overlaps.photos, overlaps.classes),
        RECALLS,
    )


def _within(areas: Floats, limits: tuple[float, float]) -> NDArray[np.bool_]:
    """Which areas lie in a range, its ends included."""
    return (areas >= limits[0]) & (areas <= limits[1])


def _choose(overlaps: Overlaps, ignored: NDArray[np.bool_]) -> Ints:
    """The box that each detection takes, or NO_BOX: [10 IoUs, D].

    In every photo and class the best detection chooses first, then the next: of the boxes that are
    still free that of the highest IoU, and one that is ignored only if no other is left. All photos
    and classes take their turns together.
    """
    found, boxes, crowds = overlaps.pairs.found, overlaps.pairs.boxes, overlaps.boxes.special
    groups = overlaps.found.photos * overlaps.classes + overlaps.found.class_ids
    choosers = np.unique(found)
    turns = np.zeros(len(groups), np.int64)
    turns[choosers] = ranks(groups[choosers])
    # A detection's boxes in the order in which it wants them; of equal ones COCO takes the last.
    order = np.lexsort((-boxes, -overlaps.ious, ignored[boxes], found, turns[found]))
    found, boxes, values = found[order], boxes[order], overlaps.ious[order]
    chosen = np.full((len(IOUS), len(groups)), NO_BOX)
    taken = np.zeros((len(IOUS), len(crowds)), np.bool_)
    ends = np.searchsorted(turns[found], np.arange(turns.max(initial=0) + 2))
    for start, end in pairwise(ends):
        own, wanted = found[start:end], boxes[start:end]
        free = ~taken[:, wanted] & (values[start:end] >= IOUS[:, None])
        first = _first_of_each(free, is_first(own))
        rows, columns = np.nonzero(first < len(own))
        picked = first[rows, columns]
        chosen[rows, own[picked]] = wanted[picked]
        taken[rows, wanted[picked]] = ~crowds[wanted[picked]]
    return chosen


def _first_of_each(free: NDArray[np.bool_], begins: NDArray[np.bool_]) -> Ints:
    """The first position in each run at which `free` holds, or the length: [T, runs], of [T, K].

    begins: [K], where a run begins.
    """
    length = free.shape[1]
    if not length:
        return np.empty((len(free), 0), np.int64)
    positions = np.where(free, np.arange(length), length)
    return np.asarray(np.minimum.reduceat(positions, np.flatnonzero(begins), axis=1))


def _recall(matches: Matches, chosen: NDArray[np.bool_] | None = None) -> Floats:
    """The highest recall of each class, with all or some detections: [10 IoUs, classes]."""
    right = matches.right if chosen is None else matches.right & chosen
    positives = matches.positives.sum(axis=0)
    found = [np.bincount(matches.class_ids[each], minlength=len(positives)) for each in right]
    return np.asarray(np.array(found) / np.where(positives > 0, positives, np.nan))
