"""Which photos make up each batch of each epoch: by the photos, the seed and the epoch alone."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Turn(NamedTuple):
    """A photo's turn: the epoch, and the position in that epoch's order."""

    epoch: int
    position: int


def epoch_order(
    count: int, seed: int, epoch: int, shares: NDArray[np.float64] | None = None
) -> NDArray[np.int64]:
    """The order in which an epoch takes so many photos: their indices [count].

    Without `shares` it is a permutation. With them, float64 [count], a photo with the share s of
    all that is seen comes count x s times, rounded up or down, so that the mean over epochs is
    exact: systematic sampling, which leaves less to chance than to draw each photo by itself.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(count)
    if shares is None:
        return order
    ends = np.cumsum(shares[order])
    points = (np.arange(count) + rng.random()) / count
    # Rounding may leave the last end a little below 1, and a point beyond it.
    drawn = np.minimum(np.searchsorted(ends, points, side="right"), count - 1)
    return rng.permutation(order[drawn])


def class_aware_shares(classes: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    """How large a share each photo has of what is seen, for all classes to be seen alike.

    A photo weighs the sum, over its classes, of 1 / photos of that class
    (https://arxiv.org/abs/1512.05830, as mmdetection has it). One without a class is not seen,
    unless there is no other.

    Args:
        classes: the classes of the boxes of each photo, as often as there are boxes.

    Returns:
        [photos], float64, of sum 1.

    >>> class_aware_shares([np.array([0, 0]), np.array([0, 1]), np.array([], int)]).tolist()
    [0.25, 0.75, 0.0]
    """
    sets = [np.unique(of_photo) for of_photo in classes]
    photos_of = np.bincount(np.concatenate(sets)) if sets else np.zeros(0)
    weights = np.array([(1 / photos_of[of_photo]).sum() for of_photo in sets])
    return weights / weights.sum() if weights.any() else np.full(len(sets), 1 / len(sets))


def earlier_turns(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each turn of an epoch's order, how many turns its photo has had before: [count].

    >>> earlier_turns(np.array([7, 3, 7, 7, 3])).tolist()
    [0, 0, 1, 2, 1]
    """
    sorted_turns = np.argsort(order, kind="stable")
    _, firsts, counts = np.unique(order[sorted_turns], return_index=True, return_counts=True)
    earlier = np.empty_like(order)
    earlier[sorted_turns] = np.arange(len(order)) - np.repeat(firsts, counts)
    return earlier


def epoch_batches(
    count: int, batch_size: int, epoch: int, rank: int = 0, processes: int = 1
) -> list[list[Turn]]:
    """One process's share of each batch of an epoch, in turn.

    Only whole batches are trained on, of `batch_size` photos over all processes; fewer photos than
    that are one batch. All processes have equal shares.

    >>> epoch_batches(5, 2, epoch=7)  # doctest: +NORMALIZE_WHITESPACE
    [[Turn(epoch=7, position=0), Turn(epoch=7, position=1)],
     [Turn(epoch=7, position=2), Turn(epoch=7, position=3)]]
    >>> epoch_batches(5, 4, epoch=0, rank=1, processes=2)
    [[Turn(epoch=0, position=1), Turn(epoch=0, position=3)]]
    """
    ends = range(batch_size, count + 1, batch_size) or [count - count % processes]
    starts = range(0, count, batch_size)
    return [
        [Turn(epoch, position) for position in range(start + rank, end, processes)]
        for start, end in zip(starts, ends, strict=False)
    ]
