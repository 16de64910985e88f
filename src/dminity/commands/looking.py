"""What `predict` and `listing` share: the model, the threads, a bar, and what cannot be read."""

import argparse
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import cv2

from dminity.core.errors import DminityError
from dminity.core.progress import Progress, line
from dminity.runtime.detector import OnnxDetector, load_onnx
from dminity.runtime.finding import Failed, Seen, cores
from dminity.runtime.inputs import Input, printable

Made = TypeVar("Made")


class NotAllRead(DminityError):
    """Some of what was named could not be read."""


def is_one(inputs: Sequence[Input]) -> bool:
    """Whether there is one photo to look at, and no more."""
    return len(inputs) == 1 and not inputs[0].is_video


def load(path: Path, threads: int, one: bool) -> OnnxDetector:
    """The detector: all threads for one photo, or one thread for each of many.

    Raises:
        BadOnnxFile: if there is none that can be used.
    """
    # What Pillow says of odd metadata is nothing to mend.
    warnings.simplefilter("ignore")
    if not one:
        # OpenCV would start as many threads as there are cores in each of ours.
        cv2.setNumThreads(1)
    return load_onnx(path, threads if one else 1)


def threads_of(arguments: argparse.Namespace) -> int:
    """As many threads as were asked for, or as there are cores."""
    return arguments.threads or cores()


class Looking:
    """The pictures as they are looked at: a bar over many, a line for each that cannot be read.

    Args:
        one: whether there is a single photo, over which there is no bar.
        total: how many there are; None if that is not known, as with videos.
    """

    def __init__(self, one: bool, total: int | None) -> None:
        self.one = one
        self.total = total
        self.count = 0
        self.failed: list[Failed] = []

    def over(self, results: Iterable[Seen[Made] | Failed]) -> Iterator[Seen[Made]]:
        """What was seen, one after the other."""
        watched = results if self.one else Progress("looked at", results, self.total)
        for result in watched:
            self.count += 1
            if isinstance(result, Seen):
                yield result
                continue
            self.failed.append(result)
            if not self.one:
                line(printable(f"error: {result.name}: {result.reason}"))

    def end(self) -> None:
        """The last line, if something could not be read.

        Raises:
            NotAllRead: then, when all that could be done is done.
        """
        if not self.failed:
            return
        if self.one:
            raise NotAllRead(f"{printable(self.failed[0].name)}: {self.failed[0].reason}")
        raise NotAllRead(
            f"{len(self.failed)} of {self.count} photos could not be read; the lines above say "
            "why: mend them or leave them out"
        )
