"""One thing under two names: classes of which one is a kind of another, as Sofa bed and Couch are.

A detector learns that a sofa bed is a couch too, and gives Couch at least the score of Sofa bed
there. So an anchor says the class of its highest score, as ever, and with it each class that is a
kind of that one or that it is a kind of, under its own score. An anchor leaves out nothing that it
said before, one of anything else says what it said before, and non-maximum suppression goes class
by class, as ever: the two names do not suppress each other, though what is said besides may
suppress a box of its own class. PyTorch, NumPy, ONNX and JavaScript follow this rule.

People want one name of a thing, the most specific that is sure enough: `most_specific`.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dminity.core.hierarchy import kinds_among
from dminity.detection.boxes import pairwise_iou
from dminity.detection.detections import NMS_IOU, Detections

# Of the score of the general name. As what is called a sofa bed is called a couch too, their ratio
# is how likely a couch is a sofa bed: from here on it is the better guess.
LEAST_SHARE = 0.5


@cache
def is_kind_of(classes: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which class is a kind of which other: [classes, classes], the kind in the row.

    >>> is_kind_of(("Bed", "Couch", "Sofa bed")).nonzero()
    (array([2]), array([1]))
    """
    found = np.zeros((len(classes), len(classes)), np.bool_)
    for kind, general in kinds_among(classes):
        found[kind, general] = True
    # All that ask get the same array.
    found.setflags(write=False)
    return found


@cache
def said_together(classes: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which classes an anchor says, by that of its highest score in the row: [classes, classes].

    >>> said_together(("Bed", "Couch", "Sofa bed")).astype(int).tolist()
    [[1, 0, 0], [0, 1, 1], [0, 1, 1]]
    """
    kinds = is_kind_of(classes)
    together = np.eye(len(classes), dtype=np.bool_) | kinds | kinds.T
    together.setflags(write=False)
    return together


def most_specific(found: Detections, classes: tuple[str, ...]) -> Detections:
    """Detections with one name for a thing that has a general and a specific one.

    The specific name stays if it reaches LEAST_SHARE of the score of the general one, else that
    does. It is one thing if their boxes overlap by more than NMS_IOU, as with two of one class.

    Args:
        found: those that are sure enough.
        classes: their names, by `class_ids`.
    """
    # [general, specific]
    same = is_kind_of(classes)[found.class_ids[None, :], found.class_ids[:, None]]
    if not same.any():
        return found
    same = same & (pairwise_iou(found.xyxy_pixels, found.xyxy_pixels) > NMS_IOU)
    unsure = found.scores[None, :] < LEAST_SHARE * found.scores[:, None]
    doubted = (same & unsure).any(axis=0)
    # A specific name that does not stay itself takes no place.
    kept = ~doubted & ~(same & ~doubted).any(axis=1)
    return Detections(found.xyxy_pixels[kept], found.scores[kept], found.class_ids[kept])
