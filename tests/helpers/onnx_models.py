"""Exported models, made for tests."""

from pathlib import Path

import onnx

from dminity.export.onnx import write_onnx
from dminity.network.detector import Detector
from dminity.runtime.model_file import Description


def export(detector: Detector, path: Path, threshold: float = 0.3) -> Path:
    """Write a detector as ONNX, with one threshold for all classes."""
    write_onnx(detector, path)
    thresholds = (threshold,) * len(detector.classes)
    description = Description(detector.variant, detector.classes, detector.input_size, thresholds)
    return with_metadata(path, path, description.as_metadata())


def with_metadata(source: Path, path: Path, metadata: dict[str, str]) -> Path:
    """A copy of a model that says something else of itself."""
    model = onnx.load(source)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path
