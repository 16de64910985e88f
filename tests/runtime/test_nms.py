"""Non-maximum suppression without PyTorch gives what that with PyTorch gives."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dminity.detection.detections import Detections
from dminity.network import prediction
from dminity.runtime import nms

INPUT = (128, 160)
# One, some, and a pair of which one is a kind of the other.
CLASSES = [("Bed",), ("Bed", "Sink", "Oven"), ("Couch", "Bed", "Sofa bed"), ("Sofa bed", "Couch")]


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


def both(
    predictions: NDArray[np.float32], classes: tuple[str, ...], size: tuple[int, int]
) -> tuple[Detections, Detections]:
    """What the two ways find."""
    outputs = torch.from_numpy(predictions[None])
    (theirs,) = prediction.to_detections(outputs, classes, [size], INPUT)
    return nms.to_detections(predictions, classes, size, INPUT), theirs


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("size", [(128, 160), (300, 97)])
def test_it_gives_what_the_network_s_own_gives(seed: int, size: tuple[int, int]) -> None:
    classes = CLASSES[seed % len(CLASSES)]
    ours, theirs = both(random_predictions(seed, 400, len(classes)), classes, size)
    assert len(ours.scores) > 10
    np.testing.assert_array_equal(ours.class_ids, theirs.class_ids)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-6)
    np.testing.assert_allclose(ours.xyxy_pixels, theirs.xyxy_pixels, atol=1e-3)
    assert (np.diff(ours.scores) <= 0).all()


@pytest.mark.parametrize("anchors", [0, 50])
def test_where_nothing_is_seen_nothing_is_found(anchors: int) -> None:
    predictions = random_predictions(0, anchors, 3)
    predictions[:, 4] = 0
    ours, _ = both(predictions, CLASSES[2], (100, 100))
    assert ours.xyxy_pixels.shape == (0, 4)
    assert ours.scores.shape == ours.class_ids.shape == (0,)
    assert ours.class_ids.dtype == np.int64


def test_an_anchor_says_a_sofa_bed_and_a_couch_and_of_other_classes_the_best_one() -> None:
    classes = ("Bed", "Couch", "Sofa bed")
    predictions = np.array(
        [
            (20, 20, 20, 20, 1, 0.3, 0.9, 0.8),
            (60, 20, 20, 20, 1, 0.3, 0.1, 0.2),
            (60, 60, 20, 20, 1, 0.1, 0.2, 0.005),
            (99, 60, 20, 20, 1, 0.3, 0.6, 0.7),
        ],
        np.float32,
    )
    for found in both(predictions, classes, INPUT):
        said = [
            (round(box[0]), classes[class_id], round(score, 2))
            for box, class_id, score in zip(
                found.xyxy_pixels.tolist(), found.class_ids, found.scores.tolist(), strict=True
            )
        ]
        assert said == [
            (10, "Couch", 0.9),
            (10, "Sofa bed", 0.8),
            (89, "Sofa bed", 0.7),
            (89, "Couch", 0.6),
            (50, "Bed", 0.3),
            (50, "Couch", 0.2),
        ]
