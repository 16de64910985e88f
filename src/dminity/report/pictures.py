"""Photos that show where a detector fails, and what it makes of each class.

White boxes are what is there; what was found is blue where it is right and orange where it is
wrong.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dminity.data import voc
from dminity.detection.boxes import Boxes
from dminity.detection.detections import SHOWN_SCORE
from dminity.evaluation.errors import NO_BOX, Errors, Kind
from dminity.evaluation.overlaps import Ints
from dminity.report.page import Photo

LONG_SIDE, QUALITY = 480, 82
WHITE, BLUE, ORANGE, DARK = (255, 255, 255), (178, 114, 0), (0, 94, 213), (30, 30, 30)
FONT, FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.42
WRONG = (Kind.CLASS, Kind.BOX, Kind.BOTH, Kind.DUPLICATE, Kind.BACKGROUND)
# After the class and the score of a false alarm.
WHY = {
    Kind.CLASS: "wrong class for",
    Kind.BOX: "poor box",
    Kind.BOTH: "wrong class and poor box",
    Kind.DUPLICATE: "found already, by a better score",
    Kind.BACKGROUND: "nothing of the classes is there",
}


@dataclass(frozen=True)
class Split:
    """Photos of a VOC folder, and what is wrong with what was found in them.

    annotations: of the photos that `errors` is of. classes: the names of the classes.
    """

    folder: Path
    annotations: list[voc.Annotation]
    errors: Errors
    classes: tuple[str, ...]

    def truth(self, box: int) -> tuple[Boxes, str]:
        """Corners and class of a box."""
        boxes = self.errors.boxes
        return boxes.xyxy[box], self.classes[boxes.class_ids[box]]

    def finding(self, detection: int) -> tuple[Boxes, str]:
        """Corners of a detection, its class and its score."""
        found = self.errors.found
        name = self.classes[found.class_ids[detection]]
        return found.xyxy[detection], f"{name} {found.scores[detection]:.2f}"

    def shown(self) -> NDArray[np.bool_]:
        """Which detections are shown to people."""
        return self.errors.found.scores >= SHOWN_SCORE


def worst_false_alarms(split: Split, most: int) -> dict[str, Photo]:
    """The wrong detections of the highest scores, with the box that each means, or those there."""
    pictures = {}
    wrong = np.flatnonzero(np.isin(split.errors.kinds, WRONG) & split.shown())
    for number, detection in enumerate(wrong[:most], start=1):
        corners, name = split.finding(detection)
        picture = _Picture(split, int(split.errors.found.photos[detection]))
        meant = int(split.errors.meant[detection])
        touched = _touching(corners, split.errors.boxes.xyxy, picture.boxes())
        for box in touched if meant == NO_BOX else [meant]:
            picture.draw(*split.truth(box), WHITE)
        picture.draw(corners, name, ORANGE)
        kind = split.errors.kinds[detection]
        why = f"{WHY[kind]} {split.truth(meant)[1]}" if kind == Kind.CLASS else WHY[kind]
        pictures[f"false-alarm-{number}"] = picture.photo(f"{number}. {name}: {why}")
    return pictures


def worst_misses(split: Split, most: int) -> dict[str, Photo]:
    """The largest boxes that nothing shown found, with all that is shown where they are."""
    errors = split.errors
    missed = np.flatnonzero((errors.found_with() < SHOWN_SCORE) & ~errors.boxes.special)
    largest = missed[np.argsort(-errors.boxes.areas()[missed], kind="stable")]
    pictures = {}
    for number, box in enumerate(largest[:most], start=1):
        corners, name = split.truth(box)
        picture = _Picture(split, int(errors.boxes.photos[box]))
        picture.draw(corners, name, WHITE)
        for detection in _touching(corners, errors.found.xyxy, picture.findings()):
            if errors.kinds[detection] in WRONG:
                picture.draw(*split.finding(detection), ORANGE)
        score = errors.found_with()[box]
        why = f"found with {score:.2f} only" if score else "not found at any score"
        pictures[f"miss-{number}"] = picture.photo(f"{number}. {name}: {why}")
    return pictures


def photos_of_classes(
    annotations: list[voc.Annotation], classes: tuple[str, ...]
) -> dict[str, voc.Annotation]:
    """For each class the first photo that shows one, and no class before it, if there is any."""
    chosen: dict[str, voc.Annotation] = {}
    for name in classes:
        shown_in = [
            annotation
            for annotation in annotations
            if any(item.label == name and not item.difficult for item in annotation.objects)
        ]
        unused = [annotation for annotation in shown_in if annotation not in chosen.values()]
        if shown_in:
            chosen[name] = (unused or shown_in)[0]
    return chosen


def one_of_each_class(split: Split, chosen: dict[str, voc.Annotation]) -> dict[str, Photo]:
    """A photo for each class, with what is there of it and what was found of it.

    Args:
        split: photos, among them the chosen ones.
        chosen: which photo of the split is whose.
    """
    positions = {item.image_id: number for number, item in enumerate(split.annotations)}
    return {
        f"class-{_slug(name)}": _of_class(split, name, positions[annotation.image_id])
        for name, annotation in chosen.items()
    }


def _of_class(split: Split, name: str, position: int) -> Photo:
    """A photo with what is there of one class, and what was found of it."""
    errors, class_id = split.errors, split.classes.index(name)
    picture = _Picture(split, position)
    boxes = picture.boxes()[errors.boxes.class_ids[picture.boxes()] == class_id]
    found = picture.findings()[errors.found.class_ids[picture.findings()] == class_id]
    for box in boxes:
        picture.draw(*split.truth(box), WHITE)
    for each in found:
        picture.draw(*split.finding(each), ORANGE if errors.kinds[each] in WRONG else BLUE)
    right = int((errors.kinds[found] == Kind.RIGHT).sum())
    counted = int((~errors.boxes.special[boxes]).sum())
    wrong = int(np.isin(errors.kinds[found], WRONG).sum())
    alarms = {0: "", 1: ", one false alarm"}.get(wrong, f", {wrong} false alarms")
    return picture.photo(f"{name}: {right} of {counted} found{alarms}")


class Canvas:
    """A photo [H, W, 3], reduced, with boxes on it."""

    def __init__(self, photo_bgr: NDArray[np.uint8]) -> None:
        self.scale = min(1.0, LONG_SIDE / max(photo_bgr.shape[:2]))
        size = [max(1, round(side * self.scale)) for side in photo_bgr.shape[1::-1]]
        self.pixels = cv2.resize(photo_bgr, size, interpolation=cv2.INTER_AREA)

    def draw(self, corners: Boxes, caption: str, color: tuple[int, int, int]) -> None:
        """Draw a box with its caption, which stays within the photo."""
        left, top, right, bottom = (round(float(side) * self.scale) for side in corners)
        cv2.rectangle(self.pixels, (left, top), (right, bottom), DARK, 4)
        cv2.rectangle(self.pixels, (left, top), (right, bottom), color, 2)
        (width, height), baseline = cv2.getTextSize(caption, FONT, FONT_SCALE, 1)
        # What is there is named inside its box, what was found above: they are often the same box.
        top = top + height + 2 * baseline if color == WHITE else top
        bottom = min(max(top, height + 2 * baseline), self.pixels.shape[0])
        left = max(0, min(left, self.pixels.shape[1] - width - 6))
        ends = (left, bottom - height - 2 * baseline), (left + width + 6, bottom)
        cv2.rectangle(self.pixels, *ends, color, cv2.FILLED)
        ink = DARK if color == WHITE else WHITE
        at = (left + 3, bottom - baseline)
        cv2.putText(self.pixels, caption, at, FONT, FONT_SCALE, ink, 1, cv2.LINE_AA)


class _Picture(Canvas):
    """One of the photos of a split."""

    def __init__(self, split: Split, position: int) -> None:
        super().__init__(voc.annotated_photo(split.folder, split.annotations[position]))
        self.split = split
        self.position = position

    def boxes(self) -> Ints:
        """What is in the photo."""
        return np.flatnonzero(self.split.errors.boxes.photos == self.position)

    def findings(self) -> Ints:
        """What was found in it and is shown."""
        own = self.split.errors.found.photos == self.position
        return np.flatnonzero(own & self.split.shown())

    def photo(self, caption: str) -> Photo:
        """The picture as it goes into a page."""
        quality = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        jpeg = cv2.imencode(".jpg", self.pixels, quality)[1].tobytes()
        image_id = self.split.annotations[self.position].image_id
        return Photo(jpeg, f"Photo {image_id} with boxes. {caption}", f"{caption} ({image_id})")


def _touching(corners: Boxes, others: Boxes, candidates: Ints) -> Iterator[int]:
    """Those of some boxes that share an area with one."""
    for candidate in candidates.tolist():
        low = np.maximum(corners[:2], others[candidate, :2])
        high = np.minimum(corners[2:], others[candidate, 2:])
        if (low < high).all():
            yield candidate


def _slug(name: str) -> str:
    """A name as a part of a file's.

    >>> _slug("Kitchen & dining room table")
    'kitchen-dining-room-table'
    """
    return re.sub(r"\W+", "-", name.lower()).strip("-")
