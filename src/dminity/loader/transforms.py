"""Changes of one image and its boxes: a class each, to be listed in `Augmentation`.

A transform first draws what it will do, and the change that it has drawn is applied afterwards:
whether an image is changed at all depends on what would become of its boxes.
"""

import random
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from dminity.detection.boxes import mirror_xyxy
from dminity.loader.photos import Image, Size
from dminity.loader.unknown import Unknown

Xyxy = NDArray[np.float32]

# YOLOX's own setting: at most, of 180 hues, 256 saturations and 256 values.
HSV_GAINS = (5, 30, 30)
HUES = 180


class Change(Protocol):
    """What a transform has drawn for one image."""

    def boxes(self, xyxy: Xyxy, size: Size) -> Xyxy:
        """Boxes [N, 4], in pixels of an image of this height and width, after the change."""

    def unknown(self, unknown: Unknown, size: Size) -> Unknown:
        """What is unknown of an image of this height and width, after the change."""

    def image(self, image: Image) -> Image:
        """An image [H, W, 3], BGR, after the change; the argument stays as it is."""


class Transform(Protocol):
    """Draws changes, from `random` and `np.random`.

    Whatever is not among YOLOX's transforms draws nothing where its probability is 0, so that the
    others are YOLOX's own, number for number.
    """

    def draw(self) -> Change | None:
        """What to do to the next image; None for nothing."""


@dataclass(frozen=True)
class ColorChange:
    """Other hues, saturations and values, with a probability per image."""

    probability: float

    def draw(self) -> "ColorGains | None":
        """What to add to each: 0 in half of the cases."""
        if random.random() >= self.probability:
            return None
        gains = np.random.uniform(-1, 1, 3) * HSV_GAINS * np.random.randint(0, 2, 3)
        return ColorGains(*gains.astype(int).tolist())


class ColorGains(NamedTuple):
    """What to add to hue (of 180), saturation and value (of 256)."""

    hue: int
    saturation: int
    value: int

    def boxes(self, xyxy: Xyxy, size: Size) -> Xyxy:
        """Boxes [N, 4] stay where they are."""
        del size
        return xyxy

    def unknown(self, unknown: Unknown, size: Size) -> Unknown:
        """It stays where it is."""
        del size
        return unknown

    def image(self, image: Image) -> Image:
        """A copy of an image [H, W, 3], BGR, with other colors.

        Even gains of 0 cost it some: 8 bits hold fewer colors as HSV than as BGR. YOLOX has it so.
        """
        hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
        if self.hue:
            hues = ((np.arange(256) + self.hue) % HUES).astype(np.uint8)
            cv2.insertChannel(cv2.LUT(cv2.extractChannel(hsv, 0), hues), hsv, 0)
        # OpenCV's sums stay within 0-255 by themselves, and are of 8 bits if nothing is negative.
        change = np.array((0.0, self.saturation, self.value, 0.0))
        cv2.add(hsv, np.maximum(change, 0), dst=hsv)
        cv2.subtract(hsv, np.maximum(-change, 0), dst=hsv)
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR).astype(np.uint8, copy=False)


@dataclass(frozen=True)
class HorizontalFlip:
    """Left and right change places, with a probability per image."""

    probability: float

    def draw(self) -> "Flipped | None":
        """Whether it is the next image's turn."""
        return Flipped() if random.random() < self.probability else None


class Flipped:
    """Left and right change places."""

    def boxes(self, xyxy: Xyxy, size: Size) -> Xyxy:
        """Boxes [N, 4] on the other side."""
        return mirror_xyxy(xyxy, size[1])

    def unknown(self, unknown: Unknown, size: Size) -> Unknown:
        """What is unknown, on the other side."""
        return unknown.mirrored(size[1])

    def image(self, image: Image) -> Image:
        """A copy of an image [H, W, 3], mirrored."""
        return cv2.flip(image, 1).astype(np.uint8, copy=False)
