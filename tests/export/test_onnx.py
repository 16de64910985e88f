"""The ONNX file does what the network does, and says how to use itself."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dminity.export.onnx import corners, describe, difference, write_onnx
from dminity.network.detector import Detector
from dminity.runtime.detector import load_onnx
from dminity.runtime.model_file import Description
from tests.helpers.detectors import random_detector

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def detector() -> Detector:
    """A small detector whose scores are not all alike."""
    return random_detector(seed=0)


@pytest.fixture(scope="module")
def exported(detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its file."""
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    thresholds = (0.5, 1 / 3, 1.0)
    description = Description(detector.variant, detector.classes, detector.input_size, thresholds)
    write_onnx(detector, description, path)
    return path


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_any_batch_gives_the_same(detector: Detector, exported: Path, batch: int) -> None:
    images = torch.rand(batch, 3, 64, 96) * 255
    with torch.inference_mode():
        outputs = detector.network(images)
    assert outputs[..., 4:].std() > 0.1, "scores that are all alike prove nothing"
    found = difference(detector, exported, [images])
    assert 0 <= found.box_pixels < 0.01
    assert 0 <= found.score < 1e-4


def test_another_network_is_told_apart(exported: Path) -> None:
    found = difference(random_detector(seed=1), exported, [torch.rand(1, 3, 64, 96) * 255])
    assert found.box_pixels > 0.1
    assert found.score > 0.01


def test_boxes_are_compared_where_they_are_cut() -> None:
    # A network that had learned little gave the first of these, and its ONNX file the second.
    boxes = np.array([[145.17, 187.78, 16, 70562.0], [145.17, 187.78, 16, 70560.25]], np.float32)
    np.testing.assert_allclose(
        corners(boxes[:, None], 256, 320), [[137.17, 0, 153.17, 256]] * 2, atol=1e-4
    )
    # What is no number does not become one.
    assert np.isnan(corners(np.full((1, 1, 4), np.nan, np.float32), 256, 320)).all()


def test_the_file_says_how_to_use_it(detector: Detector, exported: Path, tmp_path: Path) -> None:
    loaded = load_onnx(exported, threads=1)
    said = Description("yolox_nano", detector.classes, (64, 96), (0.5, 1 / 3, 1.0))
    assert loaded.description == said
    assert [item.name for item in loaded.session.get_inputs()] == ["images"]
    assert loaded.names() == ["predictions"]
    other = Path(shutil.copy(exported, tmp_path / "other.onnx"))
    describe(other, replace(said, thresholds=(0.1, 0.2, 0.3)))
    assert load_onnx(other).description == replace(said, thresholds=(0.1, 0.2, 0.3))


def test_the_file_is_the_same_wherever_it_is_made(exported: Path) -> None:
    assert str(Path(torch.__file__).parents[1]).encode() not in exported.read_bytes()
    assert b"File " not in exported.read_bytes()
