"""What a detector costs: parameters, arithmetic, milliseconds."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dminity.network.detector import Detector

# Timed rounds: the most of them, the least, and the seconds after which no other is begun.
MOST_ROUNDS, LEAST_ROUNDS, LONGEST_S = 15, 3, 10.0
# Of fewer, a 95th percentile is the slowest of them.
ROUNDS_OF_SPREADS = 100
# The machine is too busy for a figure that bears comparison if this thread had a processor for less
# than this share of the time. Beside nothing else it is 0.98 to 1.02 (PyTorch's threads spin while
# they wait for each other), beside two other programs on two cores 0.26 to 0.75. How much rounds
# differ tells less: where the others never pause, all rounds take twice as long.
LEAST_PROCESSOR_SHARE = 0.85


class Latency(NamedTuple):
    """Median milliseconds for one photo on the CPU, with PyTorch, at batch size 1.

    forward_ms: the network. nms_ms: what follows it. total_ms: all of `Detector.find`. threads:
    how many it takes. busy: whether other programs took so much of the machine that this says
    little.
    """

    forward_ms: float
    nms_ms: float
    total_ms: float
    threads: int
    busy: bool


def params_millions(network: nn.Module) -> float:
    """Trainable numbers, in millions."""
    return sum(weights.numel() for weights in network.parameters()) / 1e6


def gflops(detector: Detector) -> float:
    """Floating-point operations for one photo, in 1e9: two per multiply-add, as YOLOX counts."""
    image = torch.zeros(1, 3, *detector.input_size)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        detector.network(image)
    return float(counter.get_total_flops()) / 1e9


def latency(detector: Detector, photo_bgr: NDArray[np.uint8]) -> Latency:
    """How long the detector takes for one photo [H, W, 3]."""
    sizes = [photo_bgr.shape[:2]]
    with torch.inference_mode():
        images = detector.inputs([photo_bgr])
        outputs = detector.network(images)
        times, processor_share = interleaved_ms(
            [
                lambda: detector.network(images),
                lambda: detector.detections(outputs, sizes),
                lambda: detector.find([photo_bgr]),
            ]
        )
    forward_ms, nms_ms, total_ms = (float(np.median(found_ms)) for found_ms in times)
    busy = processor_share < LEAST_PROCESSOR_SHARE
    return Latency(forward_ms, nms_ms, total_ms, torch.get_num_threads(), busy)


class Spread(NamedTuple):
    """Milliseconds of a work done many times: the median, and the 95th percentile."""

    median_ms: float
    p95_ms: float


def spreads(works: Sequence[Callable[[], object]]) -> tuple[list[Spread], bool]:
    """How long each of some works takes, and whether the machine was too busy to say."""
    times, processor_share = interleaved_ms(works, ROUNDS_OF_SPREADS)
    found = [Spread(*map(float, np.percentile(found_ms, (50, 95)))) for found_ms in times]
    return found, processor_share < LEAST_PROCESSOR_SHARE


def interleaved_ms(
    works: Sequence[Callable[[], object]],
    most_rounds: int = MOST_ROUNDS,
    clock_s: Callable[[], float] = time.perf_counter,
    processor_s: Callable[[], float] = time.thread_time,
) -> tuple[list[list[float]], float]:
    """The milliseconds of each of some works, in turn, round by round, after a warm-up.

    So whatever else the machine does meets all of them alike. No round is begun after LONGEST_S,
    once there are LEAST_ROUNDS.

    Args:
        works: what to time.
        most_rounds: how many there are if they take less than LONGEST_S.
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
        len(times[0]) < most_rounds and clock_s() - began < LONGEST_S
    ):
        for work, found in zip(works, times, strict=True):
            start = clock_s()
            work()
            found.append((clock_s() - start) * 1000)
    return times, (processor_s() - had_s) / (clock_s() - began)
