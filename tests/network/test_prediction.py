"""Network output to detections."""

import numpy as np
import torch

from dminity.network.prediction import to_detections


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
    (found,) = to_detections(outputs, [(128, 128)], (64, 64))
    np.testing.assert_allclose(found.xyxy_pixels, [[70, 30, 90, 50], [20, 20, 60, 60]], rtol=1e-5)
    np.testing.assert_allclose(found.scores, [0.81, 0.4], rtol=1e-5)
    assert found.class_ids.tolist() == [1, 0]
    torch.testing.assert_close(outputs, before)


def test_nothing_found_is_empty_and_not_an_error() -> None:
    outputs = one_hot_outputs((20, 20, 20, 20, 0.0, 0.8, 0.1))
    (found,) = to_detections(outputs, [(128, 128)], (64, 64))
    assert found.xyxy_pixels.shape == (0, 4)
    assert found.scores.shape == found.class_ids.shape == (0,)
