"""What a detector costs: parameters, arithmetic, milliseconds."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dminity.evaluation.timing import LEAST_PROCESSOR_SHARE, interleaved_ms
from dminity.network.detector import Detector


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
