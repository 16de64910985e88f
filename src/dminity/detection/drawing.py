"""Photos with boxes on them, for people to look at."""

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from dminity.detection.boxes import Boxes
from dminity.detection.detections import Detections
from dminity.detection.kinds import most_specific

FONT = cv2.FONT_HERSHEY_SIMPLEX
# Steps of the golden ratio around the color wheel keep neighboring classes apart.
GOLDEN_RATIO = 0.618034


def _color_bgr(class_index: int) -> tuple[int, int, int]:
    """A color for a class, the same everywhere."""
    red, green, blue = colorsys.hsv_to_rgb(class_index * GOLDEN_RATIO % 1, 0.85, 0.8)
    return round(blue * 255), round(green * 255), round(red * 255)


def _draw_boxes(
    photo_bgr: NDArray[np.uint8],
    xyxy_pixels: Boxes,
    class_indices: NDArray[np.int64],
    captions: list[str],
) -> NDArray[np.uint8]:
    """A copy of a photo [H, W, 3] with [N, 4] boxes, each with a caption at its top left."""
    picture = photo_bgr.copy()
    for corners, class_index, caption in zip(xyxy_pixels, class_indices, captions, strict=True):
        left, top, right, bottom = (round(side) for side in corners)
        color = _color_bgr(int(class_index))
        cv2.rectangle(picture, (left, top), (right, bottom), color, 2)
        (width, height), baseline = cv2.getTextSize(caption, FONT, 0.45, 1)
        top = max(top, height + baseline)
        background = (left, top - height - baseline), (left + width + 4, top)
        cv2.rectangle(picture, *background, color, cv2.FILLED)
        origin = (left + 2, top - baseline)
        cv2.putText(picture, caption, origin, FONT, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return picture


def draw_detections(
    photo_bgr: NDArray[np.uint8], found: Detections, classes: tuple[str, ...], min_score: float
) -> NDArray[np.uint8]:
    """A copy of a photo [H, W, 3] with the detections from a score on, named and scored.

    A thing that has a specific name is not drawn by a general one.
    """
    sure = found.scores >= min_score
    found = most_specific(
        Detections(found.xyxy_pixels[sure], found.scores[sure], found.class_ids[sure]), classes
    )
    captions = [
        f"{classes[class_index]} {confidence:.2f}"
        for class_index, confidence in zip(found.class_ids, found.scores, strict=True)
    ]
    return _draw_boxes(photo_bgr, found.xyxy_pixels, found.class_ids, captions)
