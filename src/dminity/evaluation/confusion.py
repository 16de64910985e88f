"""Which class is taken for which: one row per box and per false alarm."""

import pandas as pd

from dminity.detection.boxes import pairwise_iou
from dminity.detection.detections import Detections, GroundTruth
from dminity.detection.kinds import is_kind_of, most_specific

MATCH_IOU = 0.5
NOTHING = "nothing"
NO_BOX = -1


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

    Of a thing that goes by two names the one that people see counts (`detection/kinds.py`). A box
    that nothing found is predicted as `nothing`; a detection of nothing is a false alarm, its
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
    """The rows of one photo: the best detection chooses first, each box is taken once.

    It takes a box of its own class where one is free, as in COCO's protocol, else that which it
    lies on best.
    """
    sure = found.scores >= min_score
    shown = most_specific(
        Detections(found.xyxy_pixels[sure], found.scores[sure], found.class_ids[sure]), classes
    )
    iou = pairwise_iou(shown.xyxy_pixels, truth.xyxy_pixels)
    iou[iou < MATCH_IOU] = 0.0
    free = ~truth.ignored
    rows = []
    for overlaps, predicted in zip(iou, shown.class_ids, strict=True):
        excused = truth.ignored | is_kind_of(classes)[truth.class_ids, predicted]
        own = overlaps * (free & (truth.class_ids == predicted))
        wanted = own if own.any() else overlaps * (free | excused)
        best = int(wanted.argmax()) if wanted.any() else NO_BOX
        if best == NO_BOX:
            rows.append((NOTHING, classes[predicted]))
        elif not excused[best]:
            free[best] = False
            rows.append((classes[truth.class_ids[best]], classes[predicted]))
    return rows + [(classes[index], NOTHING) for index in truth.class_ids[free]]
