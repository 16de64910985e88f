"""Formats of a network that COCO has trained, on real photos, where both are at hand."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dminity.detection.boxes import pairwise_iou
from dminity.detection.detections import Detections
from dminity.export.int8 import quantizations
from dminity.export.suppression import write_with_suppression
from dminity.network.detector import Detector, build_network
from dminity.runtime.detector import load_onnx
from tests.helpers.agreement import assert_same
from tests.helpers.mirror import COCO_CHECKPOINT, REAL_MIRROR
from tests.helpers.onnx_models import export

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not COCO_CHECKPOINT.exists(), reason="the photos are not at hand"),
]

# What 8 bits may change: of detections that are sure, hardly one is lost.
SURE, SAME_PLACE_IOU = 0.5, 0.7


def photos(split: str) -> list[NDArray[np.uint8]]:
    """The real photos of a split."""
    paths = sorted((REAL_MIRROR / "open-images-dataset" / split).glob("*.jpg"))
    return [np.asarray(cv2.imread(str(path)), np.uint8) for path in paths]


@pytest.fixture(scope="module")
def coco() -> Detector:
    """YOLOX-nano with COCO's 80 classes."""
    network = build_network("yolox_nano", 80)
    network.load_state_dict(torch.load(COCO_CHECKPOINT, weights_only=True)["model"])
    names = tuple(f"class {number}" for number in range(80))
    return Detector(network.eval(), "yolox_nano", names, (416, 416))


@pytest.fixture(scope="module")
def exported(coco: Detector, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its ONNX file."""
    return export(coco, tmp_path_factory.mktemp("coco") / "model.onnx")


def test_decoded_and_suppressed_formats_find_what_pytorch_finds(
    coco: Detector, exported: Path, tmp_path: Path
) -> None:
    write_with_suppression(exported, tmp_path / "nms.onnx", coco.classes)
    shown = photos("test")
    expected = coco.find(shown)
    assert sum((found.scores > SURE).sum() for found in expected) > 20
    for path in (exported, tmp_path / "nms.onnx"):
        for found, wanted in zip(load_onnx(path, 1).find(shown), expected, strict=True):
            assert_same(found, wanted)


def matched(detections: Detections, others: Detections) -> NDArray[np.float64]:
    """For each sure detection, the score of the one of the same class in its place, or NaN."""
    sure = detections.scores >= SURE
    iou = pairwise_iou(detections.xyxy_pixels[sure], others.xyxy_pixels)
    there = (iou >= SAME_PLACE_IOU) & (detections.class_ids[sure, None] == others.class_ids[None])
    best = np.where(there, others.scores[None], 0.0).max(axis=1, initial=0.0)
    return np.where(best > 0, best - detections.scores[sure], np.nan)


def test_eight_bits_keep_nine_of_ten_sure_detections_and_add_hardly_any(
    coco: Detector, exported: Path, tmp_path: Path
) -> None:
    inputs = [coco.inputs([photo]).contiguous().numpy() for photo in photos("train")]
    next(quantizations(exported, tmp_path / "int8.onnx", inputs))
    shown = photos("test") + photos("validation")
    in_float, in_integers = (
        load_onnx(path, 1).find(shown) for path in (exported, tmp_path / "int8.onnx")
    )
    pairs = list(zip(in_float, in_integers, strict=True))
    kept = np.concatenate([matched(ours, theirs) for ours, theirs in pairs])
    added = np.concatenate([matched(theirs, ours) for ours, theirs in pairs])
    assert len(kept) > 40
    assert np.isnan(kept).mean() < 0.1
    assert np.isnan(added).mean() < 0.1
    assert np.nanmedian(np.abs(kept)) < 0.04
