"""Non-maximum suppression without PyTorch gives what that with PyTorch gives."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dminity.detection.detections import Detections
from dminity.network import prediction
from dminity.runtime import nms

INPUT = (128, 160)


def random_predictions(seed: int, anchors: int, classes: int) -> NDArray[np.float32]:
    """Boxes in heaps, as networks give them: [anchors, 5 + classes]."""
    chance = np.random.default_rng(seed)
    centers = chance.uniform(0, 160, (8, 2))[chance.integers(0, 8, anchors)]
    boxes = np.hstack(
        [centers + chance.normal(0, 4, (anchors, 2)), chance.uniform(5, 60, (anchors, 2))]
    )
    # Most anchors see little.
    scores = chance.uniform(0, 1, (anchors, 1 + classes)) ** 3
    return np.hstack([boxes, scores]).astype(np.float32)


def both(predictions: NDArray[np.float32], size: tuple[int, int]) -> tuple[Detections, Detections]:
    """What the two ways find."""
    (theirs,) = prediction.to_detections(torch.from_numpy(predictions[None]), [size], INPUT)
    return nms.to_detections(predictions, size, INPUT), theirs


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("size", [(128, 160), (300, 97)])
def test_it_gives_what_the_network_s_own_gives(seed: int, size: tuple[int, int]) -> None:
    ours, theirs = both(random_predictions(seed, anchors=400, classes=1 + seed % 5), size)
    assert len(ours.scores) > 10
    np.testing.assert_array_equal(ours.class_ids, theirs.class_ids)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-6)
    np.testing.assert_allclose(ours.xyxy_pixels, theirs.xyxy_pixels, atol=1e-3)
    assert (np.diff(ours.scores) <= 0).all()


@pytest.mark.parametrize("anchors", [0, 50])
def test_where_nothing_is_seen_nothing_is_found(anchors: int) -> None:
    predictions = random_predictions(0, anchors, 3)
    predictions[:, 4] = 0
    ours, _ = both(predictions, (100, 100))
    assert ours.xyxy_pixels.shape == (0, 4)
    assert ours.scores.shape == ours.class_ids.shape == (0,)
    assert ours.class_ids.dtype == np.int64
