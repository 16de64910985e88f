"""The ONNX file does what the network does, and says how to use itself."""

import math
import shutil
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dminity.export.onnx import corners, describe, difference, write_onnx
from dminity.network.detector import Detector
from dminity.params import PARAMS_FILE, load_params
from dminity.runtime.detector import load_onnx
from dminity.runtime.model_file import Description
from dminity.stages import export
from tests.helpers.detectors import random_detector
from tests.helpers.project import ROOT

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


@pytest.mark.parametrize("shape", [(1, 64, 96), (2, 96, 32), (5, 32, 128)])
def test_any_batch_of_any_size_gives_the_same(
    detector: Detector, exported: Path, shape: tuple[int, int, int]
) -> None:
    batch, height, width = shape
    images = torch.rand(batch, 3, height, width) * 255
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


@pytest.mark.parametrize(("weight", "tolerance"), [(None, 1e-30), (math.nan, 1.0)])
def test_an_export_that_differs_is_refused(
    detector: Detector,
    exported: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    weight: float | None,
    tolerance: float,
) -> None:
    # The file is that of the network before its weight was changed.
    monkeypatch.setattr(
        export, "write_onnx", lambda *arguments: shutil.copy(exported, arguments[-1])
    )
    network = deepcopy(detector.network)
    if weight is not None:
        torch.nn.init.constant_(network.head.obj_preds[0].bias, weight)
    changed = replace(detector, network=network)
    photos = [np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)]
    settings = load_params(ROOT / PARAMS_FILE).export.model_copy(
        update={"box_tolerance": tolerance, "score_tolerance": tolerance}
    )
    with pytest.raises(export.ExportDiffers, match=r"differs by .* pixels .*epochs; or export\."):
        export.export(changed, photos, tmp_path / "model.onnx", settings)


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
