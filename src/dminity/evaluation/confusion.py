"""Which class is taken for which: one row per box and per false alarm."""

import numpy as np
import pandas as pd

from dminity.detection.boxes import pairwise_iou
from dminity.detection.detections import Detections, GroundTruth
from dminity.detection.kinds import is_kind_of

MATCH_IOU = 0.5
NOTHING = "nothing"


def confusion(
    truths: list[GroundTruth],
    detections: list[Detections],
    classes: tuple[str, ...],
    min_score: float,
) -> pd.DataFrame:
    """Pair boxes and detections of any class by IoU: columns `actual` and `predicted`.

    Args:
        truths: what is in each photo.
        detections: what was found in each photo, in the same order.
        classes: the names of the classes.
        min_score: 0-1; detections of a lower score do not count.

    A box that nothing found is predicted as `nothing`; a detection of nothing is a false alarm, its
    actual class `nothing`. Ignored boxes and the detections on them are left out, and so is who
    calls a box by the name of what its class is a kind of.
    """
    rows: list[tuple[str, str]] = []
    for truth, found in zip(truths, detections, strict=True):
        rows += _pair(truth, found, classes, min_score)
    return pd.DataFrame(rows, columns=["actual", "predicted"])


def _pair(
    truth: GroundTruth, found: Detections, classes: tuple[str, ...], min_score: float
) -> list[tuple[str, str]]:
    """The rows of one photo: the best detection chooses first, each box is taken once."""
    shown = found.scores >= min_score
    iou = pairwise_iou(found.xyxy_pixels[shown], truth.xyxy_pixels)
    free = np.ones(len(truth.class_ids), np.bool_)
    rows = []
    for overlaps, predicted in zip(iou, found.class_ids[shown], strict=True):
        general = is_kind_of(classes)[truth.class_ids, predicted]
        candidates = np.where((free | truth.ignored) & ~general, overlaps, 0.0)
        best = int(candidates.argmax()) if len(candidates) else -1
        if best < 0 or candidates[best] < MATCH_IOU:
            if not (overlaps[general] >= MATCH_IOU).any():
                rows.append((NOTHING, classes[predicted]))
        elif not truth.ignored[best]:
            free[best] = False
            rows.append((classes[truth.class_ids[best]], classes[predicted]))
    missed = truth.class_ids[free & ~truth.ignored]
    return rows + [(classes[index], NOTHING) for index in missed]
