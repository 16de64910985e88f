"""Detections and boxes of all photos as flat arrays, and which of them lie on each other.

Every protocol begins here, and differs in what it makes of the pairs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dminity.core.errors import DminityError
from dminity.detection.boxes import Boxes
from dminity.detection.detections import Detections, GroundTruth
from dminity.detection.kinds import is_kind_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class BadDetection(DminityError):
    """A score or a corner is no number."""


@dataclass(frozen=True)
class FoundBoxes:
    """Detections, best first.

    Of equal scores that of the earlier photo comes first, and in a photo the one listed first.

    photos, class_ids: [D], int64, positions. scores: [D], float64. xyxy: [D, 4], float64.
    """

    photos: Ints
    class_ids: Ints
    scores: Floats
    xyxy: Boxes

    def areas(self) -> Floats:
        """Width times height: [D]."""
        return _areas(self.xyxy)

    def where(self, chosen: NDArray[np.bool_]) -> "FoundBoxes":
        """Some of them; `chosen`: [D]."""
        return FoundBoxes(
            self.photos[chosen], self.class_ids[chosen], self.scores[chosen], self.xyxy[chosen]
        )


@dataclass(frozen=True)
class TrueBoxes:
    """What is in the photos.

    photos, class_ids: [G], int64, positions. xyxy: [G, 4], float64. special: [G], bool: a crowd, a
    difficult object or a group, in the words of the protocol.
    """

    photos: Ints
    class_ids: Ints
    xyxy: Boxes
    special: NDArray[np.bool_]

    def areas(self) -> Floats:
        """Width times height: [G]."""
        return _areas(self.xyxy)

    def counted(self, chosen: NDArray[np.bool_], photos: int, classes: int) -> Ints:
        """How many of the chosen ones each photo has of each class: [photos, classes]."""
        counts = np.zeros((photos, classes), np.int64)
        np.add.at(counts, (self.photos[chosen], self.class_ids[chosen]), 1)
        return counts


@dataclass(frozen=True)
class Pairs:
    """Each detection with each box of its class and photo that it shares something with.

    They are in the order of the detections, and of a detection in that of the boxes. found, boxes:
    [K], int64, positions. shared: [K], float64, the area of the intersection.
    """

    found: Ints
    boxes: Ints
    shared: Floats

    def where(self, chosen: NDArray[np.bool_]) -> "Pairs":
        """Some of them; `chosen`: [K]."""
        return Pairs(self.found[chosen], self.boxes[chosen], self.shared[chosen])


def ranked(photos: Ints, class_ids: Ints, scores: Floats, xyxy: Boxes) -> FoundBoxes:
    """Detections by falling score, from arrays as those of `FoundBoxes`, in any order.

    Raises:
        BadDetection: if a score or a corner is no number.
    """
    numbers = np.isfinite(scores) & np.isfinite(xyxy).all(axis=1)
    if not numbers.all():
        position = int(np.argmin(numbers))
        raise BadDetection(
            f"a detection in photo number {photos[position] + 1} is no number (score "
            f"{scores[position]:g}, box {xyxy[position].tolist()}); its detector has learned "
            "nothing: run `dvc repro -f train` with a smaller train.lr"
        )
    order = np.lexsort((photos, -scores))
    return FoundBoxes(photos[order], class_ids[order], scores[order], xyxy[order])


def flat(truths: list[GroundTruth], detections: list[Detections]) -> tuple[FoundBoxes, TrueBoxes]:
    """What was found in each photo and what is in it, as one; ignored boxes are special.

    Raises:
        BadDetection: if a score or a corner is no number.
    """
    if len(truths) != len(detections):
        raise ValueError(f"{len(truths)} photos, detections of {len(detections)}")
    return _flat_found(detections), _flat_truths(truths)


def _flat_found(detections: list[Detections]) -> FoundBoxes:
    """What was found in each photo, as one."""
    counts = [len(found.scores) for found in detections]
    return ranked(
        np.repeat(np.arange(len(detections)), counts),
        np.concatenate([np.empty(0, np.int64), *(found.class_ids for found in detections)]),
        np.concatenate([np.empty(0), *(found.scores for found in detections)]),
        np.concatenate([np.empty((0, 4)), *(found.xyxy_pixels for found in detections)]),
    )


def _flat_truths(truths: list[GroundTruth]) -> TrueBoxes:
    """What is in each photo, as one."""
    counts = [len(truth.class_ids) for truth in truths]
    return TrueBoxes(
        np.repeat(np.arange(len(truths)), counts),
        np.concatenate([np.empty(0, np.int64), *(truth.class_ids for truth in truths)]),
        np.concatenate([np.empty((0, 4)), *(truth.xyxy_pixels for truth in truths)]),
        np.concatenate([np.empty(0, np.bool_), *(truth.ignored for truth in truths)]),
    )


def with_general_names(boxes: TrueBoxes, classes: tuple[str, ...]) -> TrueBoxes:
    """Boxes, and after them each of those that are a kind of another class as a special one of it.

    Who calls a sofa bed a couch is neither right nor wrong: it is no miss of a couch that nobody
    does.

    Args:
        boxes: those of all photos.
        classes: their names, by `class_ids`.
    """
    kinds, general = is_kind_of(classes)[boxes.class_ids].nonzero()
    return TrueBoxes(
        np.concatenate([boxes.photos, boxes.photos[kinds]]),
        np.concatenate([boxes.class_ids, general]),
        np.concatenate([boxes.xyxy, boxes.xyxy[kinds]]),
        np.concatenate([boxes.special, np.ones(len(kinds), np.bool_)]),
    )


def overlapping(found: FoundBoxes, boxes: TrueBoxes) -> Pairs:
    """The pairs of detections and boxes that share an area, of the same photo and class."""
    classes = 1 + max(found.class_ids.max(initial=0), boxes.class_ids.max(initial=0))
    of_found = found.photos * classes + found.class_ids
    of_boxes = boxes.photos * classes + boxes.class_ids
    order = np.argsort(of_boxes, kind="stable")
    first = np.searchsorted(of_boxes[order], of_found, side="left")
    counts = np.searchsorted(of_boxes[order], of_found, side="right") - first
    left = np.repeat(np.arange(len(of_found)), counts)
    begins = np.cumsum(counts) - counts
    right = order[np.arange(len(left)) - np.repeat(begins - first, counts)]
    corner = np.minimum(found.xyxy[left, 2:], boxes.xyxy[right, 2:])
    sides = corner - np.maximum(found.xyxy[left, :2], boxes.xyxy[right, :2])
    shared = np.asarray(sides[:, 0] * sides[:, 1])
    return Pairs(left, right, shared).where(np.asarray((sides > 0).all(axis=1)))


def ious(pairs: Pairs, found: FoundBoxes, boxes: TrueBoxes) -> Floats:
    """Intersection over union of each pair: [K]."""
    union = found.areas()[pairs.found] + boxes.areas()[pairs.boxes] - pairs.shared
    return np.asarray(pairs.shared / union)


def shares(pairs: Pairs, found: FoundBoxes) -> Floats:
    """How much of the detection of each pair lies in the box, 0-1: [K]."""
    return np.asarray(pairs.shared / found.areas()[pairs.found])


def best_pairs(pairs: Pairs, values: Floats) -> Ints:
    """For each detection that has a pair, the one of the highest value: positions in `pairs`.

    The first box of those of equal value. They are in the order of the detections.
    """
    order = np.lexsort((-values, pairs.found))
    return order[is_first(pairs.found[order])]


def is_first(sorted_values: Ints) -> NDArray[np.bool_]:
    """Where a value differs from the one before: [N], of [N]."""
    return np.concatenate([[True], sorted_values[1:] != sorted_values[:-1]])[: len(sorted_values)]


def ranks(groups: Ints) -> Ints:
    """Of each element the number of those before it in the same group: [N], of [N].

    >>> ranks(np.array([7, 3, 7, 7, 3])).tolist()
    [0, 0, 1, 2, 1]
    """
    order = np.argsort(groups, kind="stable")
    found = np.empty(len(groups), np.int64)
    found[order] = np.arange(len(groups)) - np.searchsorted(groups[order], groups[order])
    return found


def _areas(xyxy: Boxes) -> Floats:
    """Width times height: [N], of [N, 4]."""
    sides = np.clip(xyxy[:, 2:] - xyxy[:, :2], 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float64)
