"""Whether a photo shows a class at all: the score from which that is said, and how often rightly.

A photo's score for a class is that of its best detection of the class, wherever in the photo it is:
who asks whether a home has an oven does not ask for the corners of a box.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dminity.detection.detections import Detections, GroundTruth
from dminity.detection.kinds import is_kind_of

# Of fewer photos that show a class, one wrong answer decides whether nine of ten are right.
LEAST_PHOTOS = 10
# The threshold of a class of which no score is right often enough: as good as never reached.
NEVER = 1.0


@dataclass(frozen=True)
class Presence:
    """What was found in photos, and what is there, of each class.

    Each [photos, classes]. scores: float64, 0-1, the best one; 0 where nothing was found. shown:
    bool. counted: bool; not where all boxes of the class are ignored, or are of a kind of it.
    """

    scores: NDArray[np.float64]
    shown: NDArray[np.bool_]
    counted: NDArray[np.bool_]


@dataclass(frozen=True)
class Thresholds:
    """For each class, the score from which "a photo shows it" is said.

    values: 0-1. too_few: positions of the classes that have the threshold of all classes together,
    as fewer than LEAST_PHOTOS photos show them. never: positions of those whose threshold is NEVER.
    """

    values: tuple[float, ...]
    too_few: tuple[int, ...]
    never: tuple[int, ...]


@dataclass(frozen=True)
class Answers:
    """How many photos show something, of how many it was said, and of how many of both."""

    shown: int
    said: int
    right: int

    def precision(self) -> float | None:
        """How often what was said is right; None if nothing was said."""
        return self.right / self.said if self.said else None

    def recall(self) -> float | None:
        """Of how many that show it, it was said; None if none shows it."""
        return self.right / self.shown if self.shown else None


def presence(
    truths: list[GroundTruth], detections: list[Detections], classes: tuple[str, ...]
) -> Presence:
    """Best scores and truth of each photo and class.

    Args:
        truths: what is in each photo.
        detections: what was found in each photo, in the same order.
        classes: their names.
    """
    scores = np.zeros((len(truths), len(classes)))
    shown = np.zeros((len(truths), len(classes)), np.bool_)
    ignored = shown.copy()
    for row, (truth, found) in enumerate(zip(truths, detections, strict=True)):
        np.maximum.at(scores[row], found.class_ids, found.scores)
        shown[row, truth.class_ids[~truth.ignored]] = True
        ignored[row, truth.class_ids[truth.ignored]] = True
        ignored[row] |= is_kind_of(classes)[truth.class_ids].any(axis=0)
    return Presence(scores, shown, counted=shown | ~ignored)


def choose_thresholds(known: Presence, precision: float) -> Thresholds:
    """The lowest score of each class from which saying so is right in that share of the photos.

    Args:
        known: of photos that play no part in the figures that are reported.
        precision: 0-1.
    """
    overall = _lowest(known.scores[known.counted], known.shown[known.counted], precision)
    values: list[float] = []
    too_few: list[int] = []
    for column in range(known.scores.shape[1]):
        counted = known.counted[:, column]
        shown = known.shown[counted, column]
        if shown.sum() < LEAST_PHOTOS:
            too_few.append(column)
            values.append(overall)
        else:
            values.append(_lowest(known.scores[counted, column], shown, precision))
    never = tuple(column for column, value in enumerate(values) if value == NEVER)
    return Thresholds(tuple(values), tuple(too_few), never)


def _lowest(scores: NDArray[np.float64], shown: NDArray[np.bool_], precision: float) -> float:
    """The lowest score from which at least this share is shown; NEVER if there is none.

    It is the score of a photo that is shown: one below it would add nothing but wrong answers.
    """
    candidates = np.unique(scores[shown & (scores > 0)])
    # Photos of equal scores are said together or not at all.
    said, right = (
        len(ordered) - np.searchsorted(ordered, candidates)
        for ordered in (np.sort(scores), np.sort(scores[shown]))
    )
    enough = candidates[right / said >= precision]
    return float(enough[0]) if len(enough) else NEVER


def answers(known: Presence, thresholds: tuple[float, ...]) -> list[Answers]:
    """What is said of photos with these thresholds, for each class."""
    said = known.counted & (known.scores > 0) & (known.scores >= np.array(thresholds))
    counts = (known.shown.sum(axis=0), said.sum(axis=0), (said & known.shown).sum(axis=0))
    return [Answers(*map(int, column)) for column in zip(*counts, strict=True)]


def together(each: list[Answers]) -> Answers:
    """The answers of all classes as one: each photo and class counts the same."""
    return Answers(
        sum(item.shown for item in each),
        sum(item.said for item in each),
        sum(item.right for item in each),
    )


def figures(
    known: Presence, thresholds: tuple[float, ...], classes: tuple[str, ...]
) -> dict[str, Any]:
    """`precision` and `recall` over all, and `per_class`: those, `threshold` and `photos`.

    `photos` is how many show the class. What cannot be known is None.
    """
    each = answers(known, thresholds)
    return _rates(together(each)) | {
        "photos": len(known.scores),
        "per_class": {
            name: {"threshold": round(threshold, 4), "photos": item.shown} | _rates(item)
            for name, threshold, item in zip(classes, thresholds, each, strict=True)
        },
    }


def _rates(given: Answers) -> dict[str, Any]:
    """Precision and recall, rounded."""
    precision, recall = given.precision(), given.recall()
    return {
        "precision": None if precision is None else round(precision, 4),
        "recall": None if recall is None else round(recall, 4),
    }
