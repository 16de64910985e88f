"""The model that a service looks with, and how another takes its place."""

import asyncio
import hashlib
import json
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from dminity.runtime.detector import OnnxDetector, load_onnx
from dminity.runtime.model_file import BadOnnxFile, Description
from dminity.service.logs import event

WATCH_S = 1.0
# Thresholds are rounded to so many digits in the figures.
DIGITS = 4
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Model:
    """A detector, and the SHA-256 of its file."""

    detector: OnnxDetector
    sha256: str


def _load(path: Path) -> Model:
    """Read a model, for threads that each look at a photo of their own.

    Raises:
        BadOnnxFile: if it cannot be used.
    """
    # What Pillow says of odd metadata is nothing to mend.
    warnings.simplefilter("ignore")
    # OpenCV would start as many threads as there are cores in each of ours.
    cv2.setNumThreads(1)
    detector = load_onnx(path, threads=1)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadOnnxFile(f"{path}: {error.strerror}; put a model there") from error
    return Model(detector, hashlib.sha256(content).hexdigest())


def evaluation(
    path: Path, description: Description
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The figures of a model, and those of `a photo shows it`; None if there are only others'.

    Its thresholds tell whose they are: each training has others.
    """
    # Beside the folder that names it, which may hold a link into a cache.
    metrics = path.absolute().parent.parent / "metrics"
    figures = _read(metrics / "export.json").get(path.stem)
    presence = _read(metrics / "presence.json")
    rounded = [round(threshold, DIGITS) for threshold in description.thresholds]
    fits = _thresholds(presence) == dict(zip(description.classes, rounded, strict=True))
    return (figures, presence) if fits and isinstance(figures, dict) else (None, None)


def _read(path: Path) -> dict[str, Any]:
    """The object in a file; an empty one, if there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _thresholds(presence: dict[str, Any]) -> dict[str, Any]:
    """The threshold of each class in figures; empty if they are none."""
    classes = presence.get("per_class")
    if not isinstance(classes, dict):
        return {}
    return {
        name: figures.get("threshold") if isinstance(figures, dict) else None
        for name, figures in classes.items()
    }


class ModelInUse:
    """The model, replaced as a whole: a request keeps the one that it began with.

    Args:
        path: its file.
        count: called with `taken` or `refused` for each new one.

    Raises:
        BadOnnxFile: if it cannot be used.
    """

    def __init__(self, path: Path, count: Callable[[str], None]) -> None:
        self.path = path
        self._count = count
        self._loading = asyncio.Lock()
        self._stamp = _stamp(path)
        self.current = _load(path)

    async def reload(self) -> None:
        """Take over what lies at the path now; keep the model, if that cannot be used."""
        async with self._loading:
            self._stamp = _stamp(self.path)
            try:
                model = await asyncio.to_thread(_load, self.path)
            # Whatever is wrong with the new one is no reason to stop looking with the old one.
            except Exception as error:
                self._count("refused")
                event("model refused", logging.ERROR, reason=str(error), kept=self.current.sha256)
                return
            self.current = model
            self._count("taken")
            event("model taken over", sha256=model.sha256)

    async def watch(self) -> None:
        """Take over each new file, once it has stopped changing."""
        seen = self._stamp
        while True:
            await asyncio.sleep(WATCH_S)
            now = _stamp(self.path)
            if now == seen and now not in (None, self._stamp):
                await self.reload()
            seen = now


def _stamp(path: Path) -> Stamp | None:
    """What changes when another file takes a place, or its content changes; None for no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
