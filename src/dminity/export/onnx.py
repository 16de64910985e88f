"""The detector as an ONNX file, and how far the file's outputs are from the network's."""

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from dminity.detection.boxes import Boxes, clip_to_photo, cxcywh_to_xyxy
from dminity.network.detector import Detector
from dminity.runtime.detector import load_onnx
from dminity.runtime.model_file import Description


@dataclass(frozen=True)
class Difference:
    """The largest differences before non-maximum suppression: in pixels, and in score."""

    box_pixels: float
    score: float


def write_onnx(detector: Detector, description: Description, path: Path) -> None:
    """Write the network, decoding included, for any batch size; its metadata tell how to use it.

    Input `images`: [B, 3, H, W] float32, BGR, 0-255, letterboxed. Output `predictions`:
    [B, anchors, 5 + classes]: cxcywh in input pixels, objectness, class scores.
    """
    image = torch.zeros(2, 3, *detector.input_size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            detector.network,
            (image,),
            dynamo=True,
            dynamic_shapes={"x": {0: torch.export.Dim("batch")}},
            input_names=["images"],
            output_names=["predictions"],
            verbose=False,
        )
    assert program is not None, "the dynamo exporter returns the program"
    model = program.model_proto
    # Where in the code each node is from: paths of this machine, and a seventh of the file.
    for node in model.graph.node:
        node.ClearField("metadata_props")
    onnx.helper.set_model_props(model, description.as_metadata())
    onnx.checker.check_model(model)
    onnx.save(model, path)


def describe(path: Path, description: Description) -> None:
    """Replace what a file says of itself."""
    model = onnx.load(path)
    onnx.helper.set_model_props(model, description.as_metadata())
    onnx.save(model, path)


def difference(detector: Detector, path: Path, batches: list[torch.Tensor]) -> Difference:
    """Run both on batches [B, 3, H, W] and compare box corners and scores.

    Corners are compared where detections have them: cut at the edges of the input. A network that
    has learned little gives boxes of 100,000 pixels, of which float32 knows no hundredths.
    """
    height, width = detector.input_size
    with torch.inference_mode():
        # All of PyTorch's work first: its threads and those of ONNX Runtime wait in loops, each on
        # the cores that the others need.
        outputs = [detector.network(images).numpy() for images in batches]
    session = load_onnx(path).session
    pixels, score = [0.0], [0.0]
    for images, ours in zip(batches, outputs, strict=True):
        (theirs,) = session.run(None, {"images": images.contiguous().numpy()})
        pixels.append(_farthest(corners(ours, height, width), corners(theirs, height, width)))
        score.append(_farthest(_scores(ours), _scores(theirs)))
    # NumPy's maximum, as Python's would pass over what is no number.
    return Difference(float(np.max(pixels)), float(np.max(score)))


def corners(predictions: NDArray[np.float32], height: int, width: int) -> Boxes:
    """[B, anchors, 5 + classes] to xyxy in pixels of the input, cut at its edges: [N, 4]."""
    return clip_to_photo(cxcywh_to_xyxy(predictions[..., :4].reshape(-1, 4)), width, height)


def _scores(predictions: NDArray[np.float32]) -> NDArray[np.float32]:
    """[B, anchors, 5 + classes] to objectness times class score."""
    return predictions[..., 4:5] * predictions[..., 5:]


def _farthest(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """The largest absolute difference between two arrays."""
    return float(np.abs(a - b).max())
