"""What a user names, as pictures to look at: photos, folders, globs, videos, standard input."""

import glob
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dminity.core import ending
from dminity.runtime.photo import BadPhoto, Photo, read_photo
from dminity.runtime.video import frames

PHOTOS = (
    ".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".mpo", ".avif",
    ".jp2", ".ppm", ".pgm",
)  # fmt: skip
VIDEOS = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm")
STANDARD_INPUT = "standard input"


@dataclass(frozen=True)
class Input:
    """A photo or video that was named, or found in a folder.

    name: as the user would write it. path: where it lies; None for standard input. fault: why
    nothing can be read there; empty if something may be.
    """

    name: str
    path: Path | None
    fault: str = ""

    @property
    def is_video(self) -> bool:
        """Whether it is looked at in many pictures."""
        return self.path is not None and self.path.suffix.lower() in VIDEOS


@dataclass(frozen=True)
class Picture:
    """A photo, or a frame of a video, that can be looked at.

    name: that of the photo; of a frame, that of the video and the second, `clip.mp4@12.0s`.
    read: takes the height and width of what a network sees, in pixels; raises BadPhoto.
    """

    name: str
    read: Callable[[tuple[int, int]], Photo]


def printable(name: str) -> str:
    r"""A name in one line of a terminal: what controls one, or is no letter, is escaped.

    >>> print(printable("salón\n2.jpg"))
    salón\n2.jpg
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in name
    )


def find_inputs(arguments: Sequence[str]) -> list[Input]:
    """Photos and videos, in the order in which they were named; of a folder, by name; each once.

    Args:
        arguments: files, folders, globs that no shell has expanded; `-` is standard input.
    """
    return list(dict.fromkeys(found for argument in arguments for found in _named(argument)))


def _named(argument: str) -> list[Input]:
    """What one argument names."""
    if argument == "-":
        return [Input(STANDARD_INPUT, None)]
    if os.path.lexists(argument):
        return _at(Path(argument))
    if not glob.has_magic(argument):
        return [Input(argument, Path(argument), "there is no such file or folder")]
    # Path.glob takes no pattern that begins at the root.
    matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207
    return [found for match in matches for found in _at(Path(match))] or [
        Input(argument, Path(argument), "no file or folder has such a name")
    ]


def _at(path: Path) -> list[Input]:
    """The file at a path, or what a folder holds."""
    if not path.is_dir():
        return [Input(str(path), path)]
    return in_folder(path) or [Input(str(path), path, "the folder holds no photo and no video")]


def in_folder(folder: Path) -> list[Input]:
    """The photos and videos in a folder and the folders in it, by name; nothing that is hidden.

    A folder in it that may not be read is among them, with its fault. Links to folders are not
    followed, as they may lead in a circle.
    """
    found: list[Input] = []

    def refused(error: OSError) -> None:
        path = Path(os.fsdecode(error.filename))
        found.append(Input(str(path), path, _refusal(error, path)))

    for place, folders, names in os.walk(folder, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = [Path(place, name) for name in sorted(names) if not name.startswith(".")]
        found += [
            Input(str(path), path) for path in paths if path.name.lower().endswith(PHOTOS + VIDEOS)
        ]
    return found


def pictures(inputs: Sequence[Input], every_s: float) -> Iterator[Picture]:
    """What there is to look at; frames of videos are decoded as they are asked for.

    Args:
        inputs: photos and videos.
        every_s: of a video, a frame in so many seconds.
    """
    for item in inputs:
        if item.is_video and not item.fault:
            yield from _frames(item, every_s)
        else:
            yield Picture(item.name, _reader(item))


def _reader(item: Input) -> Callable[[tuple[int, int]], Photo]:
    """What reads a photo when its turn comes."""

    def read(input_size: tuple[int, int]) -> Photo:
        if item.fault:
            raise BadPhoto(item.fault)
        content = sys.stdin.buffer.read() if item.path is None else _content(item.path)
        return read_photo(content, input_size)

    return read


def _content(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        BadPhoto: if the system does not give them.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadPhoto(_refusal(error, path)) from error


def _refusal(error: OSError, path: Path) -> str:
    """What the system refused, and the mend if one is known; the path is said before it."""
    reason = ending.refused(error) or str(error.strerror or error)
    return reason.removeprefix(f"{path}: ")


def _returns(photo: Photo) -> Callable[[tuple[int, int]], Photo]:
    """What reads a photo that has been read."""
    return lambda _: photo


def _frames(item: Input, every_s: float) -> Iterator[Picture]:
    """Frames of a video; where it cannot be read on, a picture that cannot be read."""
    assert item.path is not None
    # Closer to each other, two frames could be at the same tenth of a second.
    digits = 1 if every_s >= 0.2 else 3
    try:
        for second, frame in frames(item.path, every_s):
            yield Picture(f"{item.name}@{second:.{digits}f}s", _returns(frame))
    except BadPhoto as error:
        # Unlike `error`, it is there after this block.
        fault = error

        def fail(_: tuple[int, int]) -> Photo:
            raise fault

        yield Picture(item.name, fail)
