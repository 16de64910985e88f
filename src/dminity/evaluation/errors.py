"""What is wrong with each detection that is wrong, and what mending one kind of error would gain.

The kinds are those of TIDE (Bolya et al., 2020, https://arxiv.org/abs/2008.08115), asked for in the
order of its code, with its limits: an IoU of 0.5 finds a box, one below 0.1 is background. A mended
wrong class or poor box finds the box that it meant, if no other detection has and it is the best of
those that mean it; else it is gone, as duplicates, background and "both" are. A mended miss is one
box less to be found.

Ours differs in three points. Right and wrong are COCO's, as everywhere here: 100 detections of a
class in a photo count and not 100 of all classes, and what lies on an ignored box is no error,
where TIDE counts it. And each kind is mended as if it were the only one: in TIDE a poor box of a
higher score keeps a wrong class from being mended. Equal scores have the one order of `overlaps`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dminity.detection.detections import SHOWN_SCORE, Detections, GroundTruth
from dminity.evaluation import coco
from dminity.evaluation.matches import Matches, average_precision, mean_of_known
from dminity.evaluation.overlaps import (
    Floats,
    FoundBoxes,
    Ints,
    Pairs,
    TrueBoxes,
    best_pairs,
    flat,
    ious,
    overlapping,
)

FOUND_IOU, BACKGROUND_IOU = 0.5, 0.1
NO_BOX = -1


class Kind(StrEnum):
    """What a detection is, and `MISSED`, which is said of boxes."""

    RIGHT = "right"
    IGNORED = "ignored"
    CLASS = "wrong class"
    BOX = "poor box"
    BOTH = "both"
    DUPLICATE = "duplicate"
    BACKGROUND = "background"
    MISSED = "missed"


ERRORS = (Kind.CLASS, Kind.BOX, Kind.BOTH, Kind.DUPLICATE, Kind.BACKGROUND, Kind.MISSED)
# Detections of these kinds mean one box, which a mended one would find.
MEAN_A_BOX = (Kind.CLASS, Kind.BOX)


@dataclass(frozen=True)
class Errors:
    """What every detection of some photos is, best first.

    found, boxes: detections and boxes. matches: what COCO says of them. kinds: [D], `Kind`.
    meant: [D], the box that a detection found, or meant, or found again; NO_BOX.
    """

    found: FoundBoxes
    boxes: TrueBoxes
    matches: Matches
    kinds: NDArray[np.object_]
    meant: Ints

    def found_with(self) -> Floats:
        """The score of the detection that found each box: [G]; 0 where none did."""
        scores = np.zeros(len(self.boxes.photos))
        right = self.kinds == Kind.RIGHT
        scores[self.meant[right]] = self.found.scores[right]
        return scores

    def missed(self, min_score: float = 0.0) -> NDArray[np.bool_]:
        """Which boxes no detection from a score on found, nor would when mended: [G]."""
        meaning = np.isin(self.kinds, (Kind.RIGHT, *MEAN_A_BOX))
        meaning &= self.found.scores >= min_score
        missed = ~self.boxes.special
        missed[self.meant[meaning]] = False
        return missed

    def mended(self, kind: Kind) -> Matches:
        """What COCO would say of the detections, were there no errors of a kind."""
        matches = self.matches
        if kind == Kind.MISSED:
            gone = self.boxes.counted(self.missed(), *matches.positives.shape)
            return replace(matches, positives=matches.positives - gone)
        right, listed = matches.right[:1].copy(), matches.listed[:1].copy()
        class_ids = matches.class_ids.copy()
        chosen = self.kinds == kind
        listed[0, chosen] = False
        if kind in MEAN_A_BOX:
            free = np.flatnonzero(chosen & (np.append(self.found_with(), 0)[self.meant] == 0))
            # They are best first, and so is the first one of each box.
            boxes, first = np.unique(self.meant[free], return_index=True)
            right[0, free[first]] = listed[0, free[first]] = True
            class_ids[free[first]] = self.boxes.class_ids[boxes]
        return replace(matches, right=right, listed=listed, class_ids=class_ids)


def errors(
    truths: list[GroundTruth], detections: list[Detections], classes: tuple[str, ...]
) -> Errors:
    """Say of each detection what it is.

    Args:
        truths: what is in each photo.
        detections: what was found in each photo, in the same order.
        classes: their names.

    Raises:
        BadDetection: if a score or a corner is no number.
    """
    found, boxes = flat(truths, detections)
    matches = coco.match(truths, detections, classes)
    pairs = _of_any_class(found, boxes)
    values = ious(pairs, found, boxes)
    same_class = found.class_ids[pairs.found] == boxes.class_ids[pairs.boxes]
    own_iou, own_box = _best(pairs.where(same_class), values[same_class], len(found.scores))
    other_iou, other_box = _best(pairs.where(~same_class), values[~same_class], len(found.scores))
    wrong = matches.listed[0] & ~matches.right[0]
    kinds = np.select(
        [
            matches.right[0],
            ~wrong,
            (own_iou >= BACKGROUND_IOU) & (own_iou < FOUND_IOU),
            other_iou >= FOUND_IOU,
            own_iou >= FOUND_IOU,
            np.maximum(own_iou, other_iou) <= BACKGROUND_IOU,
        ],
        [Kind.RIGHT, Kind.IGNORED, Kind.BOX, Kind.CLASS, Kind.DUPLICATE, Kind.BACKGROUND],
        Kind.BOTH,
    ).astype(object)
    meant = np.where(kinds == Kind.CLASS, other_box, own_box)
    meant[np.isin(kinds, (Kind.IGNORED, Kind.BOTH, Kind.BACKGROUND))] = NO_BOX
    right = matches.right[0, pairs.found] & same_class & (values >= FOUND_IOU)
    _take(meant, pairs.where(right), values[right])
    return Errors(found, boxes, matches, kinds, meant)


def _of_any_class(found: FoundBoxes, boxes: TrueBoxes) -> Pairs:
    """The pairs of detections and boxes that share an area, of whatever class; none is ignored."""
    pairs = overlapping(
        replace(found, class_ids=np.zeros_like(found.class_ids)),
        replace(boxes, class_ids=np.zeros_like(boxes.class_ids)),
    )
    return pairs.where(~boxes.special[pairs.boxes])


def _best(pairs: Pairs, values: Floats, detections: int) -> tuple[Floats, Ints]:
    """The highest IoU of each detection and the box that it has it with: 0 and NO_BOX of none."""
    highest, boxes = np.zeros(detections), np.full(detections, NO_BOX)
    best = best_pairs(pairs, values)
    highest[pairs.found[best]] = values[best]
    boxes[pairs.found[best]] = pairs.boxes[best]
    return highest, boxes


def _take(meant: Ints, pairs: Pairs, values: Floats) -> None:
    """Write into `meant` which box each right detection found, as COCO's protocol chooses.

    Args:
        meant: [D].
        pairs: those of right detections and boxes of their class, from FOUND_IOU on.
        values: their IoUs.
    """
    taken: set[int] = set()
    done: set[int] = set()
    # Best detection first; of its boxes that of the highest IoU, of equal ones the last.
    order = np.lexsort((-pairs.boxes, -values, pairs.found))
    for found, box in zip(pairs.found[order].tolist(), pairs.boxes[order].tolist(), strict=True):
        if found not in done and box not in taken:
            meant[found] = box
            done.add(found)
            taken.add(box)


def error_table(found: Errors) -> pd.DataFrame:
    """One row per kind of error.

    `error`; `shown`, how many there are where detections count from SHOWN_SCORE on; `any`, how
    many at any score; `gain`, what mending those would add to AP50.
    """
    before = _ap50(found.matches)
    shown = found.found.scores >= SHOWN_SCORE
    rows = []
    for kind in ERRORS:
        wrong = found.kinds == kind
        counts = (int((wrong & shown).sum()), int(wrong.sum()))
        if kind == Kind.MISSED:
            counts = (int(found.missed(SHOWN_SCORE).sum()), int(found.missed().sum()))
        # What is below 0 comes from the 101 levels of recall.
        gain = max(_ap50(found.mended(kind)) - before, 0.0)
        rows.append((kind.value, *counts, gain))
    return pd.DataFrame(rows, columns=["error", "shown", "any", "gain"])


def _ap50(matches: Matches) -> float:
    """The mean over the classes; 0 where nothing is to be found."""
    return float(np.nan_to_num(mean_of_known(average_precision(matches)[0, :, 0])))
