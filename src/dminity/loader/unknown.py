"""The parts of an image of which something is unknown, moved and cut as its pixels are."""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from dminity.data.voc import Annotation
from dminity.detection.boxes import Boxes
from dminity.detection.letterbox import scale_to_fit
from dminity.detection.unknown import ANYTHING, SPACING, bits_of
from dminity.loader.settings import Unverified


class Unknown(NamedTuple):
    """Convex areas of an image; they may lie on each other and reach out of it.

    corners: [A, 4, 2], float64: x and y in pixels, in turn around each area. bits: [A], int64: what
    is unknown in it, as `detection.unknown` has it.
    """

    corners: NDArray[np.float64]
    bits: NDArray[np.int64]

    @classmethod
    def of(cls, xyxy_pixels: Boxes, bits: Iterable[int]) -> Self:
        """Boxes [A, 4], with the bits of each."""
        corners = np.asarray(xyxy_pixels, np.float64).reshape(-1, 4)[:, [0, 1, 2, 1, 2, 3, 0, 3]]
        return cls(corners.reshape(-1, 4, 2), np.fromiter(bits, np.int64))

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """The areas of all parts, which are of one image."""
        some = [part for part in parts if len(part.bits)]
        if not some:
            return cls.of(np.empty((0, 4)), ())
        corners, bits = map(np.concatenate, zip(*some, strict=True))
        return cls(corners, bits)

    def placed(self, scale: float, left: float, top: float) -> "Unknown":
        """Scaled, and then moved by so many pixels."""
        return Unknown(scale * self.corners + (left, top), self.bits)

    def cut(self, width: int, height: int) -> "Unknown":
        """Boxes, as `of` makes them, cut off at the edges of an image of so many pixels."""
        return Unknown(self.corners.clip(0, (width, height)), self.bits)

    def mirrored(self, width: int) -> "Unknown":
        """In an image of this width whose left and right change places."""
        return Unknown((width, 0) + self.corners * (-1, 1), self.bits)

    def warped(self, matrix: NDArray[np.float64]) -> "Unknown":
        """Turned, sheared, scaled and moved by an affine matrix [2, 3]."""
        x, y = self.corners[..., 0:1], self.corners[..., 1:2]
        return Unknown(x * matrix[:, 0] + y * matrix[:, 1] + matrix[:, 2], self.bits)

    def mapped(self, size: tuple[int, int]) -> NDArray[np.int64]:
        """The map [H / 4, W / 4] of an image of H x W pixels: at a point, all areas that hold it.

        Sides are multiples of 4.
        """
        height, width = size
        if not len(self.bits):
            return np.zeros((height // SPACING, width // SPACING), np.int64)
        x, y = _points(height, width)
        starts = self.corners[..., None, None]
        ends = np.roll(starts, -1, axis=1)
        # On which side of each edge [A, 4] each point [H / 4, W / 4] is.
        along_x = (ends[:, :, 1] - starts[:, :, 1]) * (x - starts[:, :, 0])
        along_y = (ends[:, :, 0] - starts[:, :, 0]) * (y - starts[:, :, 1])
        sides = along_y - along_x
        # Clockwise or, in a mirror, the other way round. An area of no size holds nothing.
        inside = (sides > 0).all(axis=1) | (sides < 0).all(axis=1)
        of_areas = np.where(inside, self.bits[:, None, None], 0)
        found: NDArray[np.int64] = np.bitwise_or.reduce(of_areas, axis=0)
        return found


@cache
def _points(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The points of an image's map: x [1, W / 4] and y [H / 4, 1], in pixels."""
    x, y = np.meshgrid(np.arange(0.0, width, SPACING), np.arange(0.0, height, SPACING), sparse=True)
    return x, y


def fitted_unknown(
    annotation: Annotation,
    class_index: dict[str, int],
    input_size: tuple[int, int],
    unverified: Unverified,
) -> Unknown:
    """What an annotation leaves open of its photo, fitted to the input size, in its pixels.

    `difficult` objects are neither right nor wrong: in their boxes there may be anything. Classes
    that nobody looked for are unknown in the whole photo, if `unverified` is `ignore`.
    """
    scale = scale_to_fit(annotation.height, annotation.width, input_size)
    boxes = [(item.xyxy_pixels, ANYTHING) for item in annotation.objects if item.difficult]
    if annotation.unverified and unverified == "ignore":
        whole = (0.0, 0.0, float(annotation.width), float(annotation.height))
        bits = bits_of(class_index[name] for name in annotation.unverified)
        boxes.append((whole, bits))
    xyxy = np.array([box for box, _ in boxes]).reshape(-1, 4)
    return Unknown.of(scale * xyxy, [bits for _, bits in boxes])
