"""Whether two ways to detect find the same."""

import numpy as np

from dminity.detection.detections import MIN_SCORE, Detections

# PyTorch, ONNX Runtime and OpenCV add up in other orders.
BOX_PIXELS, SCORE = 0.1, 1e-4


def assert_same(found: Detections, expected: Detections) -> None:
    """Hold detections to others, but for those that are at the limit of the scores."""
    sure = expected.scores > MIN_SCORE + SCORE
    np.testing.assert_allclose(found.scores[: sure.sum()], expected.scores[sure], atol=SCORE)
    distance = np.abs(expected.xyxy_pixels[sure, None] - found.xyxy_pixels[None]).max(axis=2)
    other_class = expected.class_ids[sure, None] != found.class_ids[None]
    assert (distance + np.where(other_class, np.inf, 0)).min(axis=1, initial=np.inf).max(
        initial=0.0
    ) < BOX_PIXELS
