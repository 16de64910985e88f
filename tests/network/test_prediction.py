"""Network output to detections."""

import numpy as np
import pytest
import torch
from yolox.utils import postprocess

from dminity.detection.detections import MIN_SCORE, NMS_IOU
from dminity.detection.letterbox import unletterbox
from dminity.network.prediction import to_detections

CLASSES = ("Bed", "Sink")


def one_hot_outputs(*boxes: tuple[float, ...]) -> torch.Tensor:
    """Network output [1, N, 5 + 2] with these rows: cx, cy, w, h, objectness, two scores."""
    return torch.tensor([boxes])


def test_detections_come_best_first_in_the_photos_pixels() -> None:
    outputs = one_hot_outputs(
        (20, 20, 20, 20, 0.5, 0.8, 0.1),
        (21, 20, 20, 20, 0.5, 0.7, 0.1),  # the same thing again
        (40, 20, 10, 10, 0.9, 0.1, 0.9),
        (40, 20, 10, 10, 0.01, 0.1, 0.9),  # hardly anything
    )
    before = outputs.clone()
    (found,) = to_detections(outputs, CLASSES, [(128, 128)], (64, 64))
    np.testing.assert_allclose(found.xyxy_pixels, [[70, 30, 90, 50], [20, 20, 60, 60]], rtol=1e-5)
    np.testing.assert_allclose(found.scores, [0.81, 0.4], rtol=1e-5)
    assert found.class_ids.tolist() == [1, 0]
    torch.testing.assert_close(outputs, before)


def test_nothing_found_is_empty_and_not_an_error() -> None:
    outputs = one_hot_outputs((20, 20, 20, 20, 0.0, 0.8, 0.1))
    (found,) = to_detections(outputs, CLASSES, [(128, 128)], (64, 64))
    assert found.xyxy_pixels.shape == (0, 4)
    assert found.scores.shape == found.class_ids.shape == (0,)


@pytest.mark.parametrize("anchors", [2, 7, 600])
def test_without_kinds_it_is_what_yolox_gives_to_the_bit(anchors: int) -> None:
    classes = ("Bed", "Sink", "Oven", "Sofa bed")
    draw = torch.Generator().manual_seed(anchors)
    outputs = torch.rand((3, anchors, 5 + len(classes)), generator=draw)
    outputs[..., :4] = outputs[..., :4] * 60 + 5
    theirs = postprocess(outputs.clone(), len(classes), MIN_SCORE, NMS_IOU)
    found = to_detections(outputs, classes, [(64, 64)] * 3, (64, 64))
    assert sum(len(each.scores) for each in found) >= 3
    for each, expected in zip(found, theirs, strict=True):
        rows = expected.numpy().astype(np.float64).reshape(-1, 7)
        scores = rows[:, 4] * rows[:, 5]
        order = np.argsort(-scores, kind="stable")
        np.testing.assert_array_equal(each.scores, scores[order])
        np.testing.assert_array_equal(each.class_ids, rows[order, 6])
        corners = unletterbox(rows[order, :4], 64, 64, (64, 64))
        np.testing.assert_array_equal(each.xyxy_pixels, corners)
