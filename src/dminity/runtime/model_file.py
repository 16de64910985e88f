"""What an exported model says of itself, in the metadata of its ONNX file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dminity.core.errors import DminityError
from dminity.detection.letterbox import STRIDE


class BadOnnxFile(DminityError):
    """An exported model is missing, damaged, or of another kind."""


@dataclass(frozen=True)
class Description:
    """What it takes to use a model.

    variant: yolox_nano, yolox_tiny, yolox_s, _m, _l or _x. classes: the names, in the network's
    order. input_size: the most that the network sees, height and width in pixels, in whole strides.
    thresholds: for each class, the score from which "a photo shows it" is right often enough.
    """

    variant: str
    classes: tuple[str, ...]
    input_size: tuple[int, int]
    thresholds: tuple[float, ...]

    def as_metadata(self) -> dict[str, str]:
        """As text by name, which is what ONNX stores."""
        return {
            "variant": self.variant,
            "classes": json.dumps(self.classes),
            "input_size": json.dumps(self.input_size),
            "thresholds": json.dumps(self.thresholds),
        }


def described_by(metadata: Mapping[str, str], path: Path) -> Description:
    """What a file's metadata say.

    Raises:
        BadOnnxFile: if it is not one that this version exports.
    """
    if not {"variant", "classes", "input_size"} <= metadata.keys():
        raise BadOnnxFile(f"{path} is an ONNX model, and none of dminity; run `dvc repro export`")
    if "thresholds" not in metadata:
        raise BadOnnxFile(
            f"{path} has no thresholds: an older version wrote it; run `dvc repro export`"
        )
    try:
        values: dict[str, Any] = {
            name: json.loads(metadata[name]) for name in ("classes", "input_size", "thresholds")
        }
        height, width = map(int, values["input_size"])
        thresholds = tuple(map(float, values["thresholds"]))
        classes = _names(values["classes"])
        if min(height, width) < 1 or height % STRIDE or width % STRIDE:
            raise ValueError("no input has such sides")
        if not all(0 <= each <= 1 for each in thresholds):
            raise ValueError("no score is that high")
    # Numbers may be infinite, and lists nested without end.
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BadOnnxFile(f"{path}: its metadata are damaged; run `dvc repro export`") from error
    if not classes or len(thresholds) != len(classes):
        raise BadOnnxFile(
            f"{path} has {len(thresholds)} thresholds for {len(classes)} classes; run "
            "`dvc repro export`"
        )
    return Description(metadata["variant"], classes, (height, width), thresholds)


def _names(classes: object) -> tuple[str, ...]:
    """The names of classes, which end up in tables, pages and on photos.

    Raises:
        TypeError: if they are no list.
        ValueError: if one is no text, or would control a terminal, or two are the same.
    """
    if not isinstance(classes, list):
        raise TypeError("they are no list")
    names = [name for name in classes if isinstance(name, str) and name.isprintable()]
    if len(set(names)) < len(classes):
        raise ValueError("they are no names")
    return tuple(names)
