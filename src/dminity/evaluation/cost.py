"""What a detector costs: parameters, arithmetic, milliseconds."""

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dminity.network.detector import Detector

WARM_UP_RUNS = 3
TIMED_RUNS = 15


def params_millions(network: nn.Module) -> float:
    """Trainable numbers, in millions."""
    return sum(weights.numel() for weights in network.parameters()) / 1e6


def gflops(detector: Detector) -> float:
    """Floating-point operations for one photo, in 1e9: two per multiply-add, as YOLOX counts."""
    image = torch.zeros(1, 3, *detector.input_size)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        detector.network(image)
    return float(counter.get_total_flops()) / 1e9


def latency_ms(detector: Detector, photo_bgr: NDArray[np.uint8]) -> dict[str, float]:
    """Median milliseconds for one photo [H, W, 3] on the CPU, with PyTorch, at batch size 1.

    `forward_ms` is the network, `nms_ms` what follows it, `total_ms` all of `Detector.find`.
    """
    sizes = [photo_bgr.shape[:2]]
    with torch.inference_mode():
        images = detector.inputs([photo_bgr])
        outputs = detector.network(images)
        return {
            "forward_ms": _median_ms(lambda: detector.network(images)),
            "nms_ms": _median_ms(lambda: detector.detections(outputs, sizes)),
            "total_ms": _median_ms(lambda: detector.find([photo_bgr])),
        }


def _median_ms(work: Callable[[], object]) -> float:
    """The median time of some runs after a warm-up."""
    times = []
    for _ in range(WARM_UP_RUNS + TIMED_RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times[WARM_UP_RUNS:]) * 1000)
