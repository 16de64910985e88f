"""How long exported models take for a photo, all of them in one run, in turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dminity.core.progress import Progress
from dminity.evaluation.timing import ROUNDS_OF_SPREADS, Spread, spreads
from dminity.runtime.detector import OnnxDetector
from dminity.runtime.nms import to_detections

# Of many large models, so many seconds make ten rounds and more.
LONGEST_S = 90.0
PARTS = 3


@dataclass(frozen=True)
class Latency:
    """Milliseconds for one photo at batch size 1, on the CPU.

    forward: the network. nms: what follows it. total: from the photo's pixels to its detections,
    letterbox included.
    """

    forward: Spread
    nms: Spread
    total: Spread

    def photos_per_second(self) -> float:
        """How many photos, one after the other."""
        return 1000 / self.total.median_ms


@dataclass(frozen=True)
class Measured:
    """The latencies of models by name; threads: of each; busy: whether they say little."""

    latencies: Mapping[str, Latency]
    threads: int
    busy: bool


def measure(
    detectors: Mapping[str, OnnxDetector], photo_bgr: NDArray[np.uint8], threads: int
) -> Measured:
    """Time models on a photo [H, W, 3], with the threads that they were loaded for."""
    forwards, suppressions, totals = [], [], []
    for detector in detectors.values():
        images = {"images": detector.inputs(photo_bgr)}
        (predictions,) = detector.session.run(None, images)
        height, width = photo_bgr.shape[:2]
        about = detector.description
        forwards.append(partial(detector.session.run, None, images))
        suppressions.append(
            partial(to_detections, predictions[0], about.classes, (height, width), about.input_size)
        )
        totals.append(partial(detector.find, [photo_bgr]))
    # Each follows the same work of another model, none its own: a network that has just run is
    # still in the processor's caches.
    works = [*forwards, *suppressions, *totals]
    with Progress[None]("measured", total=ROUNDS_OF_SPREADS + 1, unit="round") as progress:
        # The bar takes its turn, too.
        found, busy = spreads([*works, partial(progress.update, 1)], LONGEST_S)
    count = len(detectors)
    latencies = [Latency(*found[start : PARTS * count : count]) for start in range(count)]
    return Measured(dict(zip(detectors, latencies, strict=True)), threads, busy)
