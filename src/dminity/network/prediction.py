"""Network output to detections in pixels of the photo."""

import numpy as np
import torch
from yolox.utils import postprocess

from dminity.detection.detections import MIN_SCORE, NMS_IOU, Detections
from dminity.detection.letterbox import unletterbox


def to_detections(
    outputs: torch.Tensor, sizes: list[tuple[int, int]], input_size: tuple[int, int]
) -> list[Detections]:
    """Non-maximum suppression per class, then back to each photo's pixels.

    Args:
        outputs: [B, anchors, 5 + classes], float32, decoded: cxcywh in input pixels, objectness,
            classes.
        sizes: height and width in pixels of each photo.
        input_size: height and width in pixels of the network input.
    """
    # YOLOX's function writes into its argument.
    found = postprocess(outputs.detach().clone(), outputs.shape[2] - 5, MIN_SCORE, NMS_IOU)
    return [
        _one_photo(rows, height, width, input_size)
        for rows, (height, width) in zip(found, sizes, strict=True)
    ]


def _one_photo(
    rows: torch.Tensor | None, height: int, width: int, input_size: tuple[int, int]
) -> Detections:
    """Rows of [xyxy, objectness, class score, class], or None, as detections."""
    table = np.zeros((0, 7)) if rows is None else rows.cpu().numpy().astype(np.float64)
    scores = table[:, 4] * table[:, 5]
    order = np.argsort(-scores, kind="stable")
    return Detections(
        xyxy_pixels=unletterbox(table[order, :4], height, width, input_size),
        scores=scores[order],
        class_ids=table[order, 6].astype(np.int64),
    )
