"""The test photos in which a branch finds most that its base missed, or the other way round."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dminity.core.errors import DminityError
from dminity.core.stage import VOC
from dminity.detection.detections import SHOWN_SCORE, Detections
from dminity.evaluation import detection_table, truth_table
from dminity.evaluation.errors import Errors, Kind, errors
from dminity.report.paired import Shared
from dminity.report.pictures import BLUE, FONT, FONT_SCALE, ORANGE, QUALITY, WHITE, WRONG, Canvas
from dminity.report.variants import Variant

TITLE_HEIGHT, GAP, MARGIN = 26, 8, 6
PAPER, INK = 255, (30, 30, 30)


class NoPhoto(DminityError):
    """A file is no photo."""


@dataclass(frozen=True)
class Sides:
    """What was found in the same photos by a base and by a branch, at scores that people see."""

    image_ids: tuple[str, ...]
    classes: tuple[str, ...]
    base: Errors
    branch: Errors


@dataclass(frozen=True)
class ChangedPhoto:
    """A photo. right, wrong: boxes found and false alarms, of base and branch; boxes: all there."""

    position: int
    image_id: str
    boxes: int
    right: tuple[int, int]
    wrong: tuple[int, int]


def both_sides(
    truths: pd.DataFrame, base: pd.DataFrame, branch: pd.DataFrame, shared: Shared
) -> Sides:
    """Judge what both found, by the tables that `evaluate` keeps."""
    contents = truth_table.from_table(truths, shared.image_ids, shared.classes)
    sizes = [(truth.width, truth.height) for truth in contents]
    judged = [
        errors(
            contents,
            [
                _shown(found)
                for found in detection_table.from_table(
                    table, shared.image_ids, sizes, shared.classes
                )
            ],
            shared.classes,
        )
        for table in (base, branch)
    ]
    return Sides(shared.image_ids, shared.classes, *judged)


def _shown(found: Detections) -> Detections:
    """Those that people see."""
    seen = found.scores >= SHOWN_SCORE
    return Detections(found.xyxy_pixels[seen], found.scores[seen], found.class_ids[seen])


def most_changed(sides: Sides, most: int) -> list[ChangedPhoto]:
    """The photos with most boxes that one side found and the other missed, and false alarms.

    Photos in which nothing of that changed are left out.
    """
    photos = len(sides.image_ids)
    of_box = sides.base.boxes.photos
    counted = ~sides.base.boxes.special
    found = [side.found_with() > 0 for side in (sides.base, sides.branch)]
    alarms = [
        np.bincount(side.found.photos[np.isin(side.kinds, WRONG)], minlength=photos)
        for side in (sides.base, sides.branch)
    ]
    changes = np.bincount(of_box[found[0] != found[1]], minlength=photos)
    changes += np.abs(alarms[0] - alarms[1])
    right = [np.bincount(of_box[each], minlength=photos) for each in found]
    boxes = np.bincount(of_box[counted], minlength=photos)
    order = np.argsort(-changes, kind="stable")[:most]
    return [
        ChangedPhoto(
            position,
            sides.image_ids[position],
            int(boxes[position]),
            (int(right[0][position]), int(right[1][position])),
            (int(alarms[0][position]), int(alarms[1][position])),
        )
        for position in order.tolist()
        if changes[position]
    ]


def side_by_side(
    changed: ChangedPhoto, sides: Sides, names: Sequence[str], variant: Variant
) -> bytes:
    """The photo as the base sees it on the left, and as the branch does on the right: a JPEG.

    Raises:
        NotAtHand: if the photo cannot be had.
        NoPhoto: if it is damaged.
    """
    photo = _photo(variant, VOC / "JPEGImages" / f"{changed.image_id}.jpg")
    halves = [
        _titled(
            _drawn(photo, changed.position, side, sides.classes),
            f"{name}: {right} of {changed.boxes} found, {wrong} false",
        )
        for side, name, right, wrong in zip(
            (sides.base, sides.branch), names, changed.right, changed.wrong, strict=True
        )
    ]
    gap = np.full((halves[0].shape[0], GAP, 3), PAPER, np.uint8)
    picture = np.hstack([halves[0], gap, halves[1]])
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def _photo(variant: Variant, path: Path) -> NDArray[np.uint8]:
    """A photo of a variant: [H, W, 3], BGR.

    Raises:
        NotAtHand: if it cannot be had.
        NoPhoto: if it is damaged.
    """
    content = np.frombuffer(variant.read(path), np.uint8)
    photo = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if photo is None:
        raise NoPhoto(f"{variant.name}: {path} is no photo; run `dvc repro -f -s resize`")
    return np.asarray(photo, np.uint8)


def _drawn(
    photo: NDArray[np.uint8], position: int, side: Errors, classes: tuple[str, ...]
) -> NDArray[np.uint8]:
    """What is missed, right and wrong in a photo: white, blue and orange."""
    canvas = Canvas(photo)
    boxes, found = side.boxes, side.found
    missed = (boxes.photos == position) & ~boxes.special & (side.found_with() == 0)
    for box in np.flatnonzero(missed):
        canvas.draw(boxes.xyxy[box], f"missed: {classes[boxes.class_ids[box]]}", WHITE)
    # The best last, so that nothing covers it.
    for each in np.flatnonzero(found.photos == position)[::-1]:
        if side.kinds[each] == Kind.IGNORED:
            continue
        color = BLUE if side.kinds[each] == Kind.RIGHT else ORANGE
        caption = f"{classes[found.class_ids[each]]} {found.scores[each]:.2f}"
        canvas.draw(found.xyxy[each], caption, color)
    return np.asarray(canvas.pixels, np.uint8)


def _titled(picture: NDArray[np.uint8], title: str) -> NDArray[np.uint8]:
    """A picture under a line of text."""
    strip = np.full((TITLE_HEIGHT, picture.shape[1], 3), PAPER, np.uint8)
    at = (MARGIN, TITLE_HEIGHT - GAP)
    cv2.putText(strip, title, at, FONT, FONT_SCALE, INK, 1, cv2.LINE_AA)
    return np.asarray(np.vstack([strip, picture]), np.uint8)
