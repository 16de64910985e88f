"""What a network gives for a photo, to detections: non-maximum suppression without PyTorch."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dminity.detection.boxes import cxcywh_to_xyxy, xyxy_to_xywh
from dminity.detection.detections import MIN_SCORE, NMS_IOU, Detections
from dminity.detection.letterbox import unletterbox


def to_detections(
    predictions: NDArray[np.float32], size: tuple[int, int], input_size: tuple[int, int]
) -> Detections:
    """Non-maximum suppression per class, then back to the photo's pixels.

    Equal to `network/prediction.py`, within float32 (a test).

    Args:
        predictions: [anchors, 5 + classes], of one photo, decoded: cxcywh in input pixels,
            objectness, class scores.
        size: height and width in pixels of the photo.
        input_size: height and width in pixels of the network input.
    """
    # Most anchors see nothing: no score of theirs is above their objectness.
    seen = predictions[predictions[:, 4] >= MIN_SCORE]
    class_ids = seen[:, 5:].argmax(axis=1)
    scores = seen[:, 4] * seen[np.arange(len(seen)), 5 + class_ids]
    xyxy = cxcywh_to_xyxy(seen[:, :4])
    kept = np.asarray(
        cv2.dnn.NMSBoxesBatched(
            xyxy_to_xywh(xyxy).tolist(), scores.tolist(), class_ids.tolist(), MIN_SCORE, NMS_IOU
        ),
        np.int64,
    )
    return Detections(
        xyxy_pixels=unletterbox(xyxy[kept].astype(np.float64), *size, input_size),
        scores=scores[kept].astype(np.float64),
        class_ids=class_ids[kept],
    )
