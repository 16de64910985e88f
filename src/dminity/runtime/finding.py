"""What is in many pictures: all cores at work, results in the order of the pictures."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from dminity.core.memory import is_out_of_memory
from dminity.detection.boxes import Boxes
from dminity.detection.detections import SHOWN_SCORE, Detections
from dminity.detection.kinds import most_specific
from dminity.runtime.detector import OnnxDetector
from dminity.runtime.inputs import Picture
from dminity.runtime.photo import BadPhoto, Photo

Made = TypeVar("Made")
# For each thread: pictures that wait for it, or for those before them. More would only fill memory.
IN_FLIGHT = 3
LITTLE_MEMORY = "there is too little memory for it: end other programs, or take --threads 1"


@dataclass(frozen=True)
class Seen(Generic[Made]):
    """What was found in a picture.

    height, width: in pixels, of the picture. made: what the caller made of the pixels while they
    were in memory.
    """

    name: str
    height: int
    width: int
    found: Detections
    made: Made


@dataclass(frozen=True)
class BoxThresholds:
    """From which scores on boxes are reported, 0-1.

    A model's thresholds answer one question: does the photo show any? They are for the best box of
    a class in a photo; its other boxes have to reach besides what is shown in every evaluation.

    best: for each class; infinity for a class that nobody asks for. others: for all classes.
    """

    best: Sequence[float]
    others: float = SHOWN_SCORE


@dataclass(frozen=True)
class Failed:
    """A picture that cannot be read, and why."""

    name: str
    reason: str


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def from_thresholds(found: Detections, thresholds: BoxThresholds) -> Detections:
    """Of the detections in a photo those that are sure enough.

    Args:
        found: best first, as they stay.
        thresholds: of the best box of a class, and of its others.
    """
    is_best = np.zeros(len(found.scores), np.bool_)
    is_best[np.unique(found.class_ids, return_index=True)[1]] = True
    kept = found.scores >= np.asarray(thresholds.best, np.float64)[found.class_ids]
    kept &= is_best | (found.scores >= thresholds.others)
    return Detections(found.xyxy_pixels[kept], found.scores[kept], found.class_ids[kept])


def find_all(
    pictures: Iterable[Picture],
    detector: OnnxDetector,
    thresholds: BoxThresholds,
    make: Callable[[Picture, Photo, Detections], Made],
    threads: int,
) -> Iterator[Seen[Made] | Failed]:
    """Look at pictures, each of them whole in one thread.

    Args:
        pictures: taken as there is room for them.
        detector: of a single thread, if several look at once.
        thresholds: of the boxes that are reported.
        make: called in that thread with the picture and what was found in it, in its pixels.
        threads: how many pictures are looked at at once.

    Raises:
        Exception: what `make` raises.
    """
    waiting: deque[Future[Seen[Made] | Failed]] = deque()
    executor = ThreadPoolExecutor(threads)
    try:
        for picture in pictures:
            waiting.append(executor.submit(look, picture, detector, thresholds, make))
            if len(waiting) >= IN_FLIGHT * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # After an error or Ctrl-C: those that are being looked at are finished, no others begun.
        executor.shutdown(cancel_futures=True)


def look(
    picture: Picture,
    detector: OnnxDetector,
    thresholds: BoxThresholds,
    make: Callable[[Picture, Photo, Detections], Made],
) -> Seen[Made] | Failed:
    """Look at one picture, as `find_all` does at many.

    Raises:
        Exception: what `make` raises.
    """
    try:
        photo = picture.read(detector.description.input_size)
        sure = from_thresholds(_found(detector, photo), thresholds)
        found = most_specific(sure, detector.description.classes)
        made = make(picture, photo, found)
    except BadPhoto as error:
        return Failed(picture.name, str(error))
    except Exception as error:
        # One photo of very many pixels is no reason to lose what is found in the others.
        if is_out_of_memory(error):
            return Failed(picture.name, LITTLE_MEMORY)
        raise
    return Seen(picture.name, photo.height, photo.width, found, made)


def _found(detector: OnnxDetector, photo: Photo) -> Detections:
    """What is in a photo, in pixels of the photo itself, of which a reduced copy is looked at."""
    (found,) = detector.find([photo.bgr])
    height, width = photo.bgr.shape[:2]
    if (height, width) == (photo.height, photo.width):
        return found
    scale = np.array([photo.width / width, photo.height / height] * 2)
    return Detections(found.xyxy_pixels * scale, found.scores, found.class_ids)


def on_copy(xyxy_pixels: Boxes, photo: Photo) -> Boxes:
    """Boxes [N, 4] in pixels of a photo, in pixels of the copy that was read of it."""
    height, width = photo.bgr.shape[:2]
    scaled: Boxes = xyxy_pixels * np.array([width / photo.width, height / photo.height] * 2)
    return scaled
