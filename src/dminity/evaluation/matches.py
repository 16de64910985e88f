"""Which detections are right, and the average precision that follows.

What a protocol has to say is in its `Matches`; precision, recall and the area under their curve are
the same for all, for all photos once or for any number of times each: matching is done once, and
a resample of the photos only weighs them anew.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dminity.evaluation.overlaps import Floats, Ints


@dataclass(frozen=True)
class Matches:
    """What a protocol says of detections, best first.

    photos, class_ids: [D], int64, positions. right: [T, D], bool, for each of T thresholds of IoU:
    it found something. listed: [T, D], bool: it counts, right or wrong; the others are as if they
    were not there. positives: [photos, classes], how many things there are to be found. recalls:
    the levels of recall at which precision is averaged; None: the whole area under the curve.
    """

    photos: Ints
    class_ids: Ints
    right: NDArray[np.bool_]
    listed: NDArray[np.bool_]
    positives: Ints
    recalls: Floats | None = None

    def rows_of_classes(self) -> list[Ints]:
        """The positions of the detections of each class, best first."""
        order = np.argsort(self.class_ids, kind="stable")
        ends = np.searchsorted(self.class_ids[order], np.arange(self.positives.shape[1] + 1))
        return [order[start:end] for start, end in pairwise(ends)]


def average_precision(matches: Matches, times: NDArray[np.int32] | None = None) -> Floats:
    """The average precision of each class: [T, classes, B], 0-1; NaN where nothing is to be found.

    Args:
        matches: those of all photos.
        times: [photos, B], how often each photo is there, in each of B resamples; without it all
            are there once, and B is 1.
    """
    if times is None:
        times = np.ones((len(matches.positives), 1), np.int32)
    positives = matches.positives.T.astype(np.float64) @ times
    found = np.full((len(matches.right), *positives.shape), np.nan)
    for class_id, rows in enumerate(matches.rows_of_classes()):
        weights = times[matches.photos[rows]]
        before = np.cumsum(weights, axis=0, dtype=np.int32)
        for threshold in range(len(matches.right)):
            right = np.flatnonzero(matches.right[threshold, rows])
            listed = _listed_up_to(right, matches.listed[threshold, rows], before, weights)
            found[threshold, class_id] = _area(
                weights[right], listed, positives[class_id], matches.recalls
            )
    return found


def _listed_up_to(
    right: Ints,
    listed: NDArray[np.bool_],
    before: NDArray[np.int32],
    weights: NDArray[np.int32],
) -> NDArray[np.int32]:
    """How many detections are listed down to each right one: [R, B].

    Args:
        right: [R], positions of those that are right.
        listed: [N].
        before: [N, B], how many there are down to each one, listed or not.
        weights: [N, B], how often each one is there.
    """
    unlisted = np.flatnonzero(~listed)
    if not len(unlisted):
        return before[right]
    left_out = np.zeros((len(unlisted) + 1, before.shape[1]), np.int32)
    np.cumsum(weights[unlisted], axis=0, out=left_out[1:])
    return np.asarray(before[right] - left_out[np.searchsorted(unlisted, right)])


def _area(
    weights: NDArray[np.int32],
    listed: NDArray[np.int32],
    positives: Floats,
    recalls: Floats | None,
) -> Floats:
    """The average precision of one class: [B].

    Only right detections raise recall, and precision is highest at one of them: the others enter by
    their number alone.

    Args:
        weights: [R, B], how often each right detection is there.
        listed: [R, B], how many there are down to it, right or wrong.
        positives: [B], how many things there are to be found.
        recalls: the levels of recall, or None.
    """
    there = np.where(positives > 0, positives, np.nan)
    if not len(weights):
        return there * 0.0
    right = np.cumsum(weights, axis=0, dtype=np.int32)
    precision = _envelope(right / np.maximum(listed, 1))
    if recalls is None:
        return np.asarray((weights * precision).sum(axis=0) / there)
    reached = np.searchsorted(recalls, right / there, side="right")
    steps = np.diff(reached, axis=0, prepend=0)
    return np.asarray((steps * precision).sum(axis=0) / len(recalls) + there * 0.0)


def _envelope(precision: Floats) -> Floats:
    """The best precision at this recall or a higher one, along the first axis."""
    return np.asarray(np.maximum.accumulate(precision[::-1], axis=0)[::-1])


def curves(matches: Matches, recalls: Floats, threshold: int = 0) -> Floats:
    """The precision of each class at levels of recall: [levels, classes]; NaN without positives."""
    positives = matches.positives.sum(axis=0)
    found = np.full((len(recalls), len(positives)), np.nan)
    for class_id, rows in enumerate(matches.rows_of_classes()):
        right = matches.right[threshold, rows]
        listed = np.cumsum(matches.listed[threshold, rows])[right]
        down_to = np.arange(1, len(listed) + 1)
        if positives[class_id]:
            # Beyond the highest recall there is no precision.
            precision = np.append(_envelope(down_to / listed), 0.0)
            reached = down_to / positives[class_id]
            found[:, class_id] = precision[np.searchsorted(reached, recalls)]
    return found


def mean_of_known(values: Floats) -> float:
    """The mean of those that are no NaN; NaN if there are none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else np.nan
