"""What a network gives for a photo, to detections: non-maximum suppression without PyTorch."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dminity.detection.boxes import cxcywh_to_xyxy, xyxy_to_xywh
from dminity.detection.detections import MIN_SCORE, NMS_IOU, Detections
from dminity.detection.kinds import said_together
from dminity.detection.letterbox import unletterbox


def to_detections(
    predictions: NDArray[np.float32],
    classes: tuple[str, ...],
    size: tuple[int, int],
    input_size: tuple[int, int],
) -> Detections:
    """What each anchor says (`detection/kinds.py`), non-maximum suppression, the photo's pixels.

    Equal to `network/prediction.py`, within float32 (a test).

    Args:
        predictions: [anchors, 5 + classes], of one photo, decoded: cxcywh in input pixels,
            objectness, class scores.
        classes: their names.
        size: height and width in pixels of the photo.
        input_size: height and width in pixels of the network input.
    """
    # Most anchors see nothing: no score of theirs is above their objectness.
    seen = predictions[predictions[:, 4] >= MIN_SCORE]
    rows, class_ids = said_together(classes)[seen[:, 5:].argmax(axis=1)].nonzero()
    scores = seen[rows, 4] * seen[rows, 5 + class_ids]
    xyxy = cxcywh_to_xyxy(seen[:, :4])[rows]
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
