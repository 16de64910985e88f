"""`dminity predict`: which amenities are in photos and videos, and where."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dminity.commands.numbers import number, seconds, whole
from dminity.core.errors import DminityError, suggestion
from dminity.core.stage import ONNX

if TYPE_CHECKING:
    from dminity.detection.detections import Detections
    from dminity.runtime.inputs import Picture
    from dminity.runtime.photo import Photo

DESCRIPTION = """
Find amenities in photos and videos. The best detection of a class in a photo is reported if its
score reaches the threshold that the model's file has for the class; others of it have to reach 0.4
besides. Photos that cannot be read are named on stderr, the others are looked at, and the exit code
is 1.
"""


class UnknownClass(DminityError):
    """A class was asked for that the model does not know."""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "predict", help="find amenities in photos and videos", description=DESCRIPTION
    )
    parser.add_argument(
        "input", nargs="+", help="photos, videos, folders, globs in quotes; - for standard input"
    )
    add_model(parser)
    add_every(parser)
    parser.add_argument("--save", type=Path, metavar="DIR", help="pictures with boxes, into here")
    parser.add_argument("--classes", metavar="NAME,NAME", help="these classes only")
    parser.add_argument(
        "--min-score", type=_score, metavar="S",
        help="0-1, for all boxes, in place of the model's thresholds and of 0.4",
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    for name in ("json", "csv", "coco"):
        form.add_argument(
            f"--{name}", action="store_const", dest="form", const=name, default="table",
            help=f"print {name.upper()}, for programs: docs/product.md",
        )  # fmt: skip
    parser.set_defaults(run=run)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model's file and the number of threads."""
    parser.add_argument("--model", type=Path, default=ONNX, help="an exported model [%(default)s]")
    parser.add_argument(
        "--threads", type=whole(1, 1024), metavar="N", help="[as many as there are cores]"
    )


def add_every(parser: argparse.ArgumentParser) -> None:
    """Add which frames of a video are looked at."""
    parser.add_argument(
        "--every", type=seconds, default=1.0, metavar="SECONDS",
        help="look at a frame of a video in so many seconds [%(default)g]",
    )  # fmt: skip


def _score(text: str) -> float:
    """A score of the command line."""
    return number(text, lambda value: 0 <= value <= 1, "a number from 0 to 1")


def run(arguments: argparse.Namespace) -> None:
    """Look at all that is named, and print what is found.

    Raises:
        NotAllRead: if something could not be read, when the rest is printed.
    """
    # They take half a second to import.
    from dminity.commands import looking, prediction_formats
    from dminity.runtime.finding import BoxThresholds, find_all
    from dminity.runtime.inputs import find_inputs, pictures

    inputs = find_inputs(arguments.input)
    one = looking.is_one(inputs)
    threads = looking.threads_of(arguments)
    detector = looking.load(arguments.model, threads, one)
    best = _best(detector.description.classes, detector.description.thresholds, arguments)
    lowest = arguments.min_score
    thresholds = BoxThresholds(best) if lowest is None else BoxThresholds(best, lowest)
    watch = looking.Looking(one, None if any(item.is_video for item in inputs) else len(inputs))
    seen = pictures(inputs, arguments.every)
    make: Callable[[Picture, Photo, Detections], Path | None] = _nothing
    if arguments.save:
        from dminity.commands.saved_pictures import SavedPictures

        saved = SavedPictures(arguments.save, inputs, detector.description.classes)
        seen, make = saved.named(seen), saved.save
    results = find_all(seen, detector, thresholds, make, 1 if one else threads)
    write = prediction_formats.BY_NAME[arguments.form]
    write(watch.over(results), detector.description, watch.failed)
    watch.end()


def _nothing(*_: object) -> None:
    """What is made of a photo that nobody wants saved."""


def _best(
    classes: tuple[str, ...], of_model: tuple[float, ...], arguments: argparse.Namespace
) -> list[float]:
    """For each class, the threshold of its best box; infinity if nobody asked for it."""
    asked = set(classes) if arguments.classes is None else _asked(arguments.classes, classes)
    lowest = of_model if arguments.min_score is None else [arguments.min_score] * len(classes)
    return [
        threshold if name in asked else math.inf
        for name, threshold in zip(classes, lowest, strict=True)
    ]


def _asked(text: str, classes: tuple[str, ...]) -> set[str]:
    """The classes of a list with commas.

    Raises:
        UnknownClass: if the model does not know one of them.
    """
    names = {name.casefold(): name for name in classes}
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word.casefold() not in names:
            known = suggestion(word, classes) or f"; the model knows {', '.join(classes)}"
            raise UnknownClass(f"--classes: the model knows no {word!r}{known}")
    return {names[word.casefold()] for word in words}
