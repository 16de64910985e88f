"""What was found in a photo, and what is there: the two sides of every evaluation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dminity.detection.boxes import Boxes


@dataclass(frozen=True)
class Detections:
    """What a detector found in one photo, best first.

    xyxy_pixels: [N, 4], float64, in pixels of the photo. scores: [N], 0-1. classes: [N], positions
    in the list of class names.
    """

    xyxy_pixels: Boxes
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]


@dataclass(frozen=True)
class GroundTruth:
    """What is in one photo: [N, 4] xyxy in pixels, [N] classes, and which boxes are `ignored`.

    An ignored box counts neither as found nor as missed.
    """

    xyxy_pixels: Boxes
    classes: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    height: int
    width: int
