"""Which photos make up each batch of each epoch: a function of the seed and the epoch alone."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Turn(NamedTuple):
    """A photo's turn: the epoch, and the position in that epoch's order."""

    epoch: int
    position: int


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order in which an epoch takes so many photos: a permutation [count] of their indices."""
    return np.random.default_rng([seed, epoch]).permutation(count)


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
