"""The photos with boxes on them that `predict --save` leaves."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2

from dminity.core.files import replacing_file
from dminity.detection.detections import Detections
from dminity.detection.drawing import draw_detections
from dminity.runtime.finding import on_copy
from dminity.runtime.inputs import PHOTOS, Input, Picture, printable
from dminity.runtime.photo import Photo

QUALITY = 90
# A name has 255 bytes at most, of which files that are not finished take some more.
MOST_BYTES = 200


class SavedPictures:
    """A folder in which each picture has a name of its own.

    Args:
        folder: where to; made if it is not there.
        inputs: what is looked at, none of which is ever written over.
        classes: the names on the boxes.
    """

    def __init__(self, folder: Path, inputs: Sequence[Input], classes: tuple[str, ...]) -> None:
        self.folder = folder
        self.classes = classes
        # By picture: a file may be named like standard input, or like a frame of a video.
        self.paths: dict[Picture, Path] = {}
        folder.mkdir(parents=True, exist_ok=True)
        place = folder.resolve()
        paths = [item.path for item in inputs if item.path is not None]
        # A photo may lie there, or be a link that leads there.
        lying = [path.parent.resolve() / path.name for path in paths]
        lying += [Path(os.path.realpath(path)) for path in paths if path.is_symlink()]
        # Small letters: to some disks, capitals make no other name.
        self.taken = {path.name.casefold() for path in lying if path.parent == place}

    def named(self, pictures: Iterable[Picture]) -> Iterator[Picture]:
        """The same pictures; each has its name in the folder from then on, in their order."""
        for picture in pictures:
            self.paths[picture] = self.folder / self._free(_file_name(picture.name))
            yield picture

    def _free(self, stem: str) -> str:
        """A file's name that no other picture has, nor a photo that lies there."""
        number, name = 1, f"{stem}.jpg"
        while name.casefold() in self.taken:
            number += 1
            name = f"{stem}-{number}.jpg"
        self.taken.add(name.casefold())
        return name

    def save(self, picture: Picture, photo: Photo, found: Detections) -> Path:
        """Write a picture with its boxes, no larger than it was read, whole or not at all.

        Raises:
            OSError: if the disk is full, for instance.
        """
        path = self.paths.pop(picture)
        on_it = replace(found, xyxy_pixels=on_copy(found.xyxy_pixels, photo))
        drawn = draw_detections(photo.bgr, on_it, self.classes, 0.0)
        _, encoded = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        try:
            with replacing_file(path) as unfinished:
                unfinished.write_bytes(encoded.tobytes())
        except OSError as error:
            # A full disk does not say of which file.
            raise OSError(error.errno, error.strerror, str(path)) from error
        return path


def _file_name(name: str) -> str:
    r"""A picture's name as that of a file in one folder, without its suffix.

    >>> _file_name("../flat 1/bath.JPG"), _file_name("clip.mp4@12.0s"), _file_name("a\nb.png")
    ('flat 1-bath', 'clip.mp4@12.0s', 'a_nb')
    """
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    # A name that begins with a dot would be hidden, one with a dash be taken for an option.
    text = printable("-".join(parts)).replace("\\", "_").lstrip(".-") or "photo"
    stem, dot, suffix = text.rpartition(".")
    stem = stem if f"{dot}{suffix}".lower() in PHOTOS else text
    return stem.encode()[-MOST_BYTES:].decode(errors="ignore").lstrip(".-") or "photo"
