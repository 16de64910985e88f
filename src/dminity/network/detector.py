"""A YOLOX network together with what it takes to use it, and its file, `model.pth`.

The network and its losses are those of `pixeltable-yolox`, a maintained YOLOX
(https://arxiv.org/abs/2107.08430). `detection.letterbox` says what it takes; it gives for every
anchor point `cx, cy, w, h` in input pixels, the objectness and the class scores.
"""

import errno
import pickle
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy._core.multiarray import scalar
from numpy.typing import NDArray
from torch import nn
from torch.serialization import safe_globals
from yolox.config import YoloxConfig
from yolox.models import YoloxModule

from dminity.core.errors import DminityError, first_line
from dminity.core.files import replacing_file
from dminity.core.memory import is_out_of_memory
from dminity.detection.detections import Detections
from dminity.detection.letterbox import filled_size, letterbox, network_input
from dminity.network.head import Head, Truth
from dminity.network.losses import named_losses
from dminity.network.prediction import to_detections

# What numbers of NumPy, such as the best AP in YOLOX's own checkpoints, are made of when they are
# read; none of it runs code. The second name is that of NumPy 1.
NUMPY_SCALARS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    scalar,
    (scalar, "numpy.core.multiarray.scalar"),
    np.dtype,
    *{type(np.dtype(code)) for code in "?" + np.typecodes["AllInteger"] + np.typecodes["Float"]},
]


class BadModelFile(DminityError):
    """A model file is missing, damaged, or holds something else."""


@dataclass(frozen=True)
class Detector:
    """A network, its variant, the names of its classes, and the most [height, width] that it sees.

    `find` is the way from photos to detections. Its three steps can be had apart, where time is
    taken or losses are wanted on the way.
    """

    network: YoloxModule
    variant: str
    classes: tuple[str, ...]
    input_size: tuple[int, int]

    @torch.inference_mode()
    def find(self, photos_bgr: Sequence[NDArray[np.uint8]]) -> list[Detections]:
        """What is in each photo [H, W, 3], uint8, BGR, on the network's device.

        Photos of one shape are a batch: what is found in one does not depend on the others.
        """
        found: dict[int, Detections] = {}
        sizes = [self._size(photo) for photo in photos_bgr]
        for size in dict.fromkeys(sizes):
            positions = [position for position, other in enumerate(sizes) if other == size]
            batch = [photos_bgr[position] for position in positions]
            outputs = self.network(self.inputs(batch))
            detections = self.detections(outputs, [photo.shape[:2] for photo in batch])
            found |= zip(positions, detections, strict=True)
        return [found[position] for position in range(len(photos_bgr))]

    def inputs(self, photos_bgr: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
        """Photos as the network takes them: [B, 3, H, W], float32, of the size that all fill."""
        device = next(self.network.parameters()).device
        height, width = map(max, zip(*map(self._size, photos_bgr), strict=True))
        letterboxed = [
            torch.from_numpy(letterbox(photo, self.input_size, (height, width)))
            for photo in photos_bgr
        ]
        return network_input(torch.stack(letterboxed).to(device))

    def _size(self, photo_bgr: NDArray[np.uint8]) -> tuple[int, int]:
        """The height and width of the input for a photo [H, W, 3]."""
        height, width = photo_bgr.shape[:2]
        return filled_size(height, width, self.input_size)

    def detections(self, outputs: torch.Tensor, sizes: list[tuple[int, int]]) -> list[Detections]:
        """Of outputs [B, anchors, 5 + classes], for photos of these heights and widths."""
        return to_detections(outputs, self.classes, sizes, self.input_size)


class Network(YoloxModule):  # type: ignore[misc]
    """The library's network, with losses by the pipeline's names: another one needs no more."""

    def forward(
        self,
        x: torch.Tensor,
        targets: torch.Tensor | None = None,
        unknown: torch.Tensor | None = None,
    ) -> Any:
        """In training the losses by name, or else predictions [B, anchors, 5 + classes].

        Args:
            x: [B, 3, H, W], float32, as `detection.letterbox` makes them.
            targets: in training, [B, labels, 5], float32: the class, and cxcywh in input pixels.
            unknown: in training, maps [B, H / 4, W / 4], int64, as `detection.unknown` has them;
                None or [B, 0, 0] where all is known.
        """
        features = self.backbone(x)
        if not self.training:
            return self.head(features)
        assert targets is not None, "losses are those of something"
        return named_losses(self.head(features, Truth(targets, unknown), x))


def build_network(variant: str, num_classes: int) -> YoloxModule:
    """A fresh network of a variant (yolox_nano, yolox_tiny, yolox_s, _m, _l or _x)."""
    config = YoloxConfig.get_named_config(variant)
    config.num_classes = num_classes
    network: YoloxModule = config.get_model()
    # The layers stay as the library drew them; only how they are read and assigned differs.
    network.__class__, network.head.__class__ = Network, Head
    # YOLOX adds it for the last epochs; boxes that do not overlap yet learn from this loss alone.
    network.head.use_l1 = True
    for module in network.modules():
        if isinstance(module, nn.SiLU):
            # In place it has to copy its input first, for the backward pass: a twentieth of a step.
            module.inplace = False
    return network


def save_detector(
    weights: dict[str, torch.Tensor],
    variant: str,
    classes: tuple[str, ...],
    input_size: tuple[int, int],
    path: Path,
) -> None:
    """Write `model.pth`, whole or not at all.

    Args:
        weights: the state of the network.
        variant: yolox_nano, yolox_tiny, yolox_s, _m, _l or _x.
        classes: the names of the classes, in the network's order.
        input_size: height and width in pixels of the network input.
        path: where to.
    """
    content = {
        # In the usual order of memory, whatever that of training was.
        "model": {key: value.cpu().contiguous() for key, value in weights.items()},
        "variant": variant,
        "classes": list(classes),
        "input_size": list(input_size),
    }
    with replacing_file(path) as unfinished:
        torch.save(content, unfinished)


def load_detector(path: Path, mend: str = "run `dvc pull` or `dvc repro train`") -> Detector:
    """Read a detector, in evaluation mode on the CPU.

    Args:
        path: of the file.
        mend: what to do about one that cannot be read, for the error.

    Raises:
        BadModelFile: if the file is missing, damaged, or not one that `save_detector` wrote.
    """
    content = read_checkpoint(path, mend)
    try:
        classes = tuple(content["classes"])
        network = build_network(content["variant"], len(classes))
        network.load_state_dict(content["model"])
        height, width = content["input_size"]
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        raise BadModelFile(f"{path} is no model of dminity; {mend}") from error
    network.eval()
    return Detector(network, content["variant"], classes, (height, width))


def read_checkpoint(path: Path, mend: str) -> dict[str, Any]:
    """Read any checkpoint without running code from it.

    Args:
        path: a file that `torch.save` wrote.
        mend: what to do about one that cannot be read, for the error.

    Raises:
        BadModelFile: if the file is missing, damaged, or holds more than tensors and plain data.
        OSError: if it is there and cannot be read.
    """
    try:
        with path.open("rb") as file:
            whole = _is_whole(file)
    except FileNotFoundError as error:
        raise BadModelFile(f"{path}: no such file; {mend}") from error
    except IsADirectoryError as error:
        raise BadModelFile(f"{path} is a folder; {mend}") from error
    if not whole:
        raise BadModelFile(f"{path} is cut off or damaged, or no checkpoint; {mend}")
    try:
        # PyTorch's warnings advise to open what it refuses in ways that run code.
        with warnings.catch_warnings(action="ignore"), safe_globals(NUMPY_SCALARS):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BadModelFile(f"{path} holds more than weights and is not opened; {mend}") from error
    except Exception as error:  # an old file that is cut off is refused in any way
        if is_out_of_memory(error) or _is_of_the_system(error):
            raise
        reason = first_line(error).partition(". ")[0] or type(error).__name__
        raise BadModelFile(
            f"{path} is cut off or damaged, or cannot be read: {reason}; {mend}"
        ) from error
    if not isinstance(content, dict):
        raise BadModelFile(f"{path} holds a {type(content).__name__}, no state_dict; {mend}")
    return content


def _is_whole(file: BinaryIO) -> bool:
    """Whether a file is a zip whose checksums are right, or begins as checkpoints did before 2020.

    PyTorch itself does not look at the checksums: of weights that the disk has spoiled it makes
    other weights.
    """
    try:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            return file.read(1) == pickle.PROTO
        with zipfile.ZipFile(file) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError) as error:
        if is_out_of_memory(error) or _is_of_the_system(error):
            raise
        return False


def _is_of_the_system(error: Exception) -> bool:
    """Whether it is the system that cannot read a file, and not the file that is damaged.

    Where bytes are missing, readers seek before the file's beginning, which the system refuses.
    """
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)
