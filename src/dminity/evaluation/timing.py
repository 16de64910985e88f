"""How long works take that are to be compared: in turn, and told from times of a busy machine."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

# Timed rounds: the most of them, the least, and the seconds after which no other is begun.
MOST_ROUNDS, LEAST_ROUNDS, LONGEST_S = 15, 3, 10.0
# Of fewer, a 95th percentile is the slowest of them.
ROUNDS_OF_SPREADS = 100
# The machine is too busy for a figure that bears comparison if this thread had a processor for less
# than this share of the time. Beside nothing else it is 0.98 to 1.02 (PyTorch's threads spin while
# they wait for each other), beside two other programs on two cores 0.26 to 0.75. How much rounds
# differ tells less: where the others never pause, all rounds take twice as long.
LEAST_PROCESSOR_SHARE = 0.85


class Spread(NamedTuple):
    """Milliseconds of a work done many times: the median, and the 95th percentile."""

    median_ms: float
    p95_ms: float


def spreads(
    works: Sequence[Callable[[], object]], longest_s: float = LONGEST_S
) -> tuple[list[Spread], bool]:
    """How long each of some works takes, and whether the machine was too busy to say."""
    times, processor_share = interleaved_ms(works, ROUNDS_OF_SPREADS, longest_s)
    found = [Spread(*map(float, np.percentile(found_ms, (50, 95)))) for found_ms in times]
    return found, processor_share < LEAST_PROCESSOR_SHARE


def interleaved_ms(
    works: Sequence[Callable[[], object]],
    most_rounds: int = MOST_ROUNDS,
    longest_s: float = LONGEST_S,
    clock_s: Callable[[], float] = time.perf_counter,
    processor_s: Callable[[], float] = time.thread_time,
) -> tuple[list[list[float]], float]:
    """The milliseconds of each of some works, in turn, round by round, after a warm-up.

    So whatever else the machine does meets all of them alike. No round is begun after `longest_s`,
    once there are LEAST_ROUNDS.

    Args:
        works: what to time.
        most_rounds: how many there are if they take less than `longest_s`.
        longest_s: in seconds.
        clock_s: the time.
        processor_s: the time for which this thread has had a processor.

    Returns:
        A list for each work, and the share of the time for which this thread had a processor.
    """
    times: list[list[float]] = [[] for _ in works]
    for work in works:
        work()
    began, had_s = clock_s(), processor_s()
    while len(times[0]) < LEAST_ROUNDS or (
        len(times[0]) < most_rounds and clock_s() - began < longest_s
    ):
        for work, found in zip(works, times, strict=True):
            start = clock_s()
            work()
            found.append((clock_s() - start) * 1000)
    return times, (processor_s() - had_s) / (clock_s() - began)
