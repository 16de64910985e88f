"""What was found in a photo, and what is there: the two sides of every evaluation.

The thresholds below hold wherever a detector is evaluated: in the validation of a training, in
`evaluate`, in `dminity view`. Figures of two experiments, or of training and evaluation, could not
be compared otherwise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dminity.detection.boxes import Boxes

# Detections of a lower score are dropped, and of two boxes of a class that overlap by more than
# this IoU the better one stays. YOLOX evaluates so: average precision wants low scores too.
MIN_SCORE = 0.01
NMS_IOU = 0.65
# The score from which a detection is shown where a detector is judged, and counted in the confusion
# matrix. Where it is used a class has a threshold of its own, and all its boxes in a photo but the
# best have to reach this besides.
SHOWN_SCORE = 0.4


@dataclass(frozen=True)
class Detections:
    """What a detector found in one photo, best first.

    xyxy_pixels: [N, 4], float64, in pixels of the photo. scores: [N], float64, 0-1. class_ids: [N],
    int64, positions in the list of class names.
    """

    xyxy_pixels: Boxes
    scores: NDArray[np.float64]
    class_ids: NDArray[np.int64]


@dataclass(frozen=True)
class GroundTruth:
    """What is in one photo of `height` x `width` pixels.

    xyxy_pixels: [N, 4], float64, in pixels of the photo. class_ids: [N], int64, positions in the
    list of class names. ignored: [N], bool: such a box counts neither as found nor as missed.
    """

    xyxy_pixels: Boxes
    class_ids: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    height: int
    width: int
