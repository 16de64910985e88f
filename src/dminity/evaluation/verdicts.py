"""Which detections of a photo are right, wrong or neither, by COCO's matching at IoU 0.50."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dminity.detection.boxes import pairwise_iou
from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation import coco

MATCH_IOU = float(coco.IOUS[coco.IOU_50])
NO_CLASS = -1


@dataclass(frozen=True)
class Verdicts:
    """What is made of the detections of one photo, in their order.

    right, wrong: [N], bool; one that is neither lies on an ignored box, or calls a box by the name
    of what its class is a kind of. actual: [N], int64, the class of the box that a wrong one lies
    on and that is of another class, or NO_CLASS.
    """

    right: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    actual: NDArray[np.int64]


def verdicts(
    truths: list[GroundTruth], detections: list[Detections], classes: tuple[str, ...]
) -> list[Verdicts]:
    """Judge the detections of each photo.

    Args:
        truths: what is in each photo.
        detections: what was found in each photo, in the same order, and best first.
        classes: their names.

    Raises:
        BadDetection: if a score or a corner is no number.
    """
    matches = coco.match(truths, detections, classes)
    # They are best first over all photos, and so within each one.
    order = np.argsort(matches.photos, kind="stable")
    ends = np.cumsum([len(found.scores) for found in detections], dtype=np.int64)
    right = np.split(matches.right[coco.IOU_50, order], ends)[:-1]
    listed = np.split(matches.listed[coco.IOU_50, order], ends)[:-1]
    return [
        Verdicts(own, counts & ~own, np.where(counts & ~own, _actual(truth, found), NO_CLASS))
        for own, counts, truth, found in zip(right, listed, truths, detections, strict=True)
    ]


def _actual(truth: GroundTruth, found: Detections) -> NDArray[np.int64]:
    """The class of the box of another class that each detection lies on best: [N], or NO_CLASS."""
    if not len(truth.class_ids):
        return np.full(len(found.class_ids), NO_CLASS)
    iou = pairwise_iou(found.xyxy_pixels, truth.xyxy_pixels)
    other = (found.class_ids[:, None] != truth.class_ids) & ~truth.ignored
    iou = np.where(other, iou, 0.0)
    best = iou.argmax(axis=1)
    enough = iou.max(axis=1) >= MATCH_IOU
    return np.where(enough, truth.class_ids[best], NO_CLASS)
