"""The detector in integers of 8 bits: static quantization by ONNX Runtime, parts of it in float.

Decoding always stays in float: pixels and scores would share one scale of 256 steps. What else has
to differs from network to network, so files are written with ever more of it in float, for the
caller to take the first that is good enough.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

# What can be kept in float, by the names that its weights begin with: first what has few weights.
# The end of the backbone, `dark5`, has half of them and is always in integers.
PARTS = {
    "stem": ("backbone.backbone.stem",),
    "dark2": ("backbone.backbone.dark2",),
    "regression": ("head.reg_convs",),
    "dark3": ("backbone.backbone.dark3",),
    "classification": ("head.cls_convs", "head.stems"),
    "dark4": ("backbone.backbone.dark4",),
    "neck": ("backbone.lateral_", "backbone.reduce_", "backbone.bu_", "backbone.C3_"),
}
# So many of them are in float from the start. Depthwise convolutions, of which yolox_nano is made,
# are bound by memory: where maps are large, integers are slower. These have a tenth of the weights.
FIRST_IN_FLOAT = {"yolox_nano": 4}
# The layers that decoding takes over from.
PREDICTIONS = "_preds."
# All that lies between two convolutions too. With convolutions alone, every activation becomes
# float and integer again: yolox_nano was a quarter slower than in float, and is as fast with these.
QUANTIZED = ("Conv", "Sigmoid", "Mul", "Add", "Concat", "MaxPool", "Resize", "Slice")


class _Photos(CalibrationDataReader):  # type: ignore[misc]
    """Photos as `quantize_static` asks for them."""

    def __init__(self, inputs: Sequence[NDArray[np.float32]]) -> None:
        self.waiting = iter(inputs)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next one, or None."""
        images = next(self.waiting, None)
        return None if images is None else {"images": images}


def quantizations(
    source: Path, path: Path, inputs: Sequence[NDArray[np.float32]]
) -> Iterator[tuple[str, ...]]:
    """Write `source` in 8 bits to `path`, again and again, each time with one more part in float.

    Activations are unsigned, with one scale for each tensor; weights are signed, with a scale for
    each channel and 7 bits: processors without VNNI add two products in 16 bits, and would cut off
    their sums.

    Args:
        source: a file of `export.onnx`, with metadata that the new file has too.
        path: where to; replaced at each step.
        inputs: what ranges are taken from: [1, 3, H, W] float32 each, as the network sees them.

    Yields:
        The names of the parts that are in float, besides decoding.
    """
    with TemporaryDirectory() as folder:
        ranges = Path(folder) / "ranges.json"
        for count in range(FIRST_IN_FLOAT.get(_variant(source), 0), len(PARTS) + 1):
            in_float = tuple(PARTS)[:count]
            _quantize(source, path, inputs, in_float, ranges)
            yield in_float


def _variant(path: Path) -> str:
    """The variant that a file says it is."""
    metadata = onnx.load(path).metadata_props
    return next(str(item.value) for item in metadata if item.key == "variant")


def _quantize(
    source: Path,
    path: Path,
    inputs: Sequence[NDArray[np.float32]],
    parts: tuple[str, ...],
    ranges: Path,
) -> None:
    """Write one file; `ranges` is where those of all tensors are kept for the next one."""
    network = onnx.load(source)
    metadata = {item.key: item.value for item in network.metadata_props}
    in_float = _nodes_in_float(network.graph, parts)
    # It has the shapes and the joined operators that a pre-processing would give it.
    add_pre_process_metadata(network)
    quantize_static(
        network,
        path,
        _Photos(inputs),
        op_types_to_quantize=list(QUANTIZED),
        nodes_to_exclude=in_float,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibration_cache_path=ranges,
    )
    quantized = onnx.load(path)
    _shorten(quantized.graph)
    onnx.helper.set_model_props(quantized, metadata)
    onnx.checker.check_model(quantized)
    onnx.save(quantized, path)


def _nodes_in_float(graph: onnx.GraphProto, parts: tuple[str, ...]) -> list[str]:
    """The names of the nodes of these parts, and of decoding with the layers that it follows.

    A node is of the part whose convolution came last; the name of its weights says which one.
    What comes before the first one reckons with shapes, for decoding.
    """
    beginnings = tuple(each for part in parts for each in PARTS[part])
    found = []
    weights = PREDICTIONS
    decoded: set[str] = set()
    for node in graph.node:
        if node.op_type == "Conv":
            weights = node.input[1]
        if PREDICTIONS in weights or decoded & set(node.input):
            decoded.update(node.output)
            found.append(node.name)
        elif weights.startswith(beginnings):
            found.append(node.name)
    return found


def _shorten(graph: onnx.GraphProto) -> None:
    """Number what is inside of a graph, and keep one of initializers that are alike.

    Names and zero points make up a fifth of a yolox_nano in 8 bits.
    """
    names = {value.name: value.name for value in (*graph.input, *graph.output)} | {"": ""}
    kept: dict[bytes, onnx.TensorProto] = {}
    for tensor in graph.initializer:
        name = tensor.name
        tensor.name = ""
        content = tensor.SerializeToString(deterministic=True)
        if content not in kept:
            kept[content] = tensor
            tensor.name = f"{len(names):x}"
        names[name] = kept[content].name
    tensors = list(kept.values())
    del graph.initializer[:]
    graph.initializer.extend(tensors)
    del graph.value_info[:]
    for node in graph.node:
        node.name = ""
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names.setdefault(name, f"{len(names):x}") for name in node.output]
