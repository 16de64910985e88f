"""Exported models, made for tests."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from dminity.export.onnx import write_onnx
from dminity.network.detector import Detector
from dminity.runtime.model_file import Description


def export(detector: Detector, path: Path, threshold: float = 0.3) -> Path:
    """Write a detector as ONNX, with one threshold for all classes."""
    thresholds = (threshold,) * len(detector.classes)
    description = Description(detector.variant, detector.classes, detector.input_size, thresholds)
    write_onnx(detector, description, path)
    return path


def with_metadata(source: Path, path: Path, metadata: dict[str, str]) -> Path:
    """A copy of a model that says something else of itself."""
    model = onnx.load(source)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


# What `write_bright_model` sees: a bed in the left half of a photo, a sink in the right half.
BRIGHT_CLASSES = ("Bed", "Sink")
BRIGHT_SIDE = 64


def write_bright_model(path: Path, threshold: float = 0.5, beds_only: bool = False) -> Path:
    """A model made by hand: it takes a bright left half for a bed, a bright right one for a sink.

    The score is the half's brightness, 0-1. With `beds_only` the right one is a bed, too.
    """
    half = BRIGHT_SIDE // 2
    boxes = np.array([[[half / 2, half, half, 64], [half * 1.5, half, half, 64]]], np.float32)
    constants: dict[str, NDArray[Any]] = {
        "boxes": boxes,
        "classes": np.eye(2, dtype=np.float32)[None, [0, 0] if beds_only else [0, 1]],
        "most": np.array([255], np.float32),
        "gray": np.array(114, np.float32),
        "square": np.array([1, 3, BRIGHT_SIDE, BRIGHT_SIDE]),
        "nothing": np.zeros(4, np.int64),
        "shape": np.array([1, 2, 1]),
    }
    nodes = [
        helper.make_node("Shape", ["images"], ["filled"]),
        helper.make_node("Sub", ["square", "filled"], ["missing"]),
        helper.make_node("Concat", ["nothing", "missing"], ["pads"], axis=0),
        helper.make_node("Pad", ["images", "pads", "gray"], ["letterboxed"]),
        helper.make_node(
            "AveragePool", ["letterboxed"], ["halves"], kernel_shape=(64, half), strides=(64, half)
        ),
        helper.make_node("ReduceMean", ["halves"], ["colorless"], axes=[1], keepdims=0),
        helper.make_node("Reshape", ["colorless", "shape"], ["column"]),
        helper.make_node("Div", ["column", "most"], ["objectness"]),
        helper.make_node("Concat", ["boxes", "objectness", "classes"], ["predictions"], axis=2),
    ]
    graph = helper.make_graph(
        nodes,
        "bright",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, "height", "width"])],
        [helper.make_tensor_value_info("predictions", TensorProto.FLOAT, [1, 2, 7])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    size = (BRIGHT_SIDE, BRIGHT_SIDE)
    description = Description("yolox_nano", BRIGHT_CLASSES, size, (threshold, threshold))
    helper.set_model_props(model, description.as_metadata())
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
