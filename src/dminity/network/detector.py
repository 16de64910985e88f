"""A YOLOX network together with what it takes to use it, and its file, `model.pth`.

The network and its losses are those of `pixeltable-yolox`, a maintained YOLOX
(https://arxiv.org/abs/2107.08430). It takes BGR photos, 0-255, letterboxed at the top left, and
gives for every anchor point `cx, cy, w, h` in input pixels, the objectness and the class scores.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from yolox.config import YoloxConfig

from dminity.core.errors import DminityError
from dminity.core.files import replacing_file
from dminity.network.head import Head


class BadModelFile(DminityError):
    """A model file is missing, damaged, or holds something else."""


@dataclass(frozen=True)
class Detector:
    """A network, its variant, the names of its classes, and the [height, width] that it sees."""

    network: nn.Module
    variant: str
    classes: tuple[str, ...]
    input_size: tuple[int, int]


def build_network(variant: str, num_classes: int) -> nn.Module:
    """A fresh network of a variant (yolox_nano, yolox_tiny, yolox_s, _m, _l or _x)."""
    config = YoloxConfig.get_named_config(variant)
    config.num_classes = num_classes
    network: nn.Module = config.get_model()
    # The layers stay as the library drew them; only how they are read and assigned differs.
    network.head.__class__ = Head
    for module in network.modules():
        if isinstance(module, nn.SiLU):
            # In place it has to copy its input first, for the backward pass: a twentieth of a step.
            module.inplace = False
    return network


def network_input(letterboxed: torch.Tensor) -> torch.Tensor:
    """Photos [B, H, W, 3], uint8, as the network takes them: [B, 3, H, W], float32, BGR, 0-255.

    The result lies in memory as the photos did (channels last), which convolutions like best.
    """
    return letterboxed.permute(0, 3, 1, 2).float()


def save(detector: Detector, path: Path) -> None:
    """Write a detector, whole or not at all."""
    content = {
        "model": {key: value.cpu() for key, value in detector.network.state_dict().items()},
        "variant": detector.variant,
        "classes": list(detector.classes),
        "input_size": list(detector.input_size),
    }
    with replacing_file(path) as unfinished:
        torch.save(content, unfinished)


def load(path: Path) -> Detector:
    """Read a detector, in evaluation mode on the CPU.

    Raises:
        BadModelFile: if the file is missing, damaged, or not one that `save` wrote.
    """
    content = read_checkpoint(path)
    try:
        classes = tuple(content["classes"])
        network = build_network(content["variant"], len(classes))
        network.load_state_dict(content["model"])
        height, width = content["input_size"]
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise BadModelFile(f"{path} is no model of dminity; run `dvc repro train`") from error
    network.eval()
    return Detector(network, content["variant"], classes, (height, width))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read any checkpoint without running code from it.

    Raises:
        BadModelFile: if the file is missing, damaged, or holds more than tensors and plain data.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise BadModelFile(f"{path} is not there; run `dvc pull` or `dvc repro`") from error
    except pickle.UnpicklingError as error:
        raise BadModelFile(
            f"{path} holds more than weights and is not opened; save it as a state_dict"
        ) from error
    except (OSError, RuntimeError, EOFError) as error:
        raise BadModelFile(f"{path} is damaged: {first_line(error)}; fetch it again") from error
    if not isinstance(content, dict):
        raise BadModelFile(f"{path} holds a {type(content).__name__}; save it as a state_dict")
    return content


def first_line(error: BaseException) -> str:
    """The first line of an error that may have many."""
    return str(error).partition("\n")[0]
