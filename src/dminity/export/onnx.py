"""The detector as an ONNX file, and how far the file's outputs are from the network's."""

import logging
import warnings
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn
from yolox.models import YoloxModule
from yolox.utils import fuse_model

from dminity.detection.boxes import Boxes, clip_to_photo, cxcywh_to_xyxy
from dminity.detection.letterbox import STRIDE
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

    Input `images`: [B, 3, H, W] float32, BGR, 0-255, letterboxed; H and W in whole strides. Output
    `predictions`: [B, anchors, 5 + classes]: cxcywh in input pixels, objectness, class scores.
    """
    height, width = detector.input_size
    # Sizes that the exporter sees twice, it takes for one.
    image = torch.zeros(2, 3, height + STRIDE, width + 2 * STRIDE)
    shape = {
        0: torch.export.Dim("batch"),
        2: STRIDE * torch.export.Dim("rows"),
        3: STRIDE * torch.export.Dim("columns"),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            _simplified(detector.network),
            (image,),
            dynamo=True,
            dynamic_shapes={"x": shape},
            input_names=["images"],
            output_names=["predictions"],
            verbose=False,
        )
    assert program is not None, "the dynamo exporter returns the program"
    model = program.model_proto
    graph = model.graph
    # What the exporter notes down: paths of this machine, a seventh of the file, in an order that
    # changes from run to run.
    for noted in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        noted.ClearField("metadata_props")
    onnx.helper.set_model_props(model, description.as_metadata())
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _simplified(network: YoloxModule) -> YoloxModule:
    """A copy of the network that gives the same by fewer layers.

    Batch norms become part of the convolutions before them, which the exporter would do too, in
    twice the time. `Focus` makes four images of every second pixel and puts one behind the other,
    for a convolution of 3 x 3: one of 6 x 6 and stride 2 sums up the same products in place.
    """
    network = deepcopy(network)
    stem = network.backbone.backbone.stem.conv
    filters, channels, side, _ = stem.conv.weight.shape
    # Of the four images two have odd columns, and of each two the second has odd rows.
    weights = stem.conv.weight.reshape(filters, 2, 2, channels // 4, side, side)
    stem.conv = nn.Conv2d(channels // 4, filters, 2 * side, stride=2, padding=side - 1, bias=False)
    with torch.no_grad():
        interleaved = weights.permute(0, 3, 4, 2, 5, 1)
        stem.conv.weight.copy_(interleaved.reshape(stem.conv.weight.shape))
        network.backbone.backbone.stem = stem
        simplified: YoloxModule = fuse_model(network)
    return simplified


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
    with torch.inference_mode():
        # All of PyTorch's work first: its threads and those of ONNX Runtime wait in loops, each on
        # the cores that the others need.
        outputs = [detector.network(images).numpy() for images in batches]
    session = load_onnx(path).session
    pixels, score = [0.0], [0.0]
    for images, ours in zip(batches, outputs, strict=True):
        (theirs,) = session.run(None, {"images": images.contiguous().numpy()})
        height, width = images.shape[2:]
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
