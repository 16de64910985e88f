"""YOLOX's mosaic: four photos around a point, turned, sheared, scaled and moved as one.

Photos come fitted to the input size, and are fitted once more on the way, as YOLOX does: that
changes only those whose sides were cut off to whole pixels (95 of 96 pixels become 96).
"""

import random
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from yolox.data.data_augment import apply_affine_to_bboxes, get_affine_matrix
from yolox.data.datasets.mosaicdetection import get_mosaic_coordinate

from dminity.detection.letterbox import GRAY, fit, fitted_size, scale_to_fit
from dminity.loader.photos import Image, Labels, Photos, Size
from dminity.loader.unknown import Unknown

# YOLOX's own settings.
DEGREES = 10.0
TRANSLATE = 0.1
SHEAR = 2.0
SCALE = (0.5, 1.5)
# Canvas pixels around what the corners of the view show; the bilinear filter reads one more.
MARGIN = 2


class _Tile(NamedTuple):
    """A photo's part of a mosaic."""

    photo: int  # its index
    xyxy_canvas: tuple[int, int, int, int]
    # The pixel of the photo that lies at the tile's top left corner.
    xy_photo: tuple[int, int]


class Mosaic:
    """Makes mosaics of an input size.

    Holds a canvas of twice that size (4.9 MB at 640), so that an instance serves one thread.
    """

    def __init__(self, input_size: Size) -> None:
        height, width = input_size
        self.input_size = input_size
        self.canvas = np.empty((2 * height, 2 * width, 3), np.uint8)

    def __call__(self, photos: Photos, index: int) -> tuple[Image, Labels, Unknown]:
        """A mosaic of a photo and three others at random: [*input_size, 3], and its labels.

        Of the gray around and between photos all is known: nothing is there.
        """
        height, width = self.input_size
        center_y = int(random.uniform(0.5 * height, 1.5 * height))
        center_x = int(random.uniform(0.5 * width, 1.5 * width))
        indices = [index, *(random.randint(0, len(photos) - 1) for _ in range(3))]
        matrix, scale = get_affine_matrix((width, height), DEGREES, TRANSLATE, SCALE, SHEAR)
        tiles = [
            self._tile(photos, index, corner, center_x, center_y)
            for corner, index in enumerate(indices)
        ]
        labels = np.concatenate([self._labels_on_canvas(photos, tile) for tile in tiles])
        if len(labels):
            labels = apply_affine_to_bboxes(labels, (width, height), matrix, scale)
        unknown = Unknown.joined(self._unknown_on_canvas(photos, tile) for tile in tiles)
        return self._view(photos, tiles, matrix), labels, unknown.warped(matrix)

    def _tile(self, photos: Photos, index: int, corner: int, center_x: int, center_y: int) -> _Tile:
        """Where a photo lies: corner 0 is top left of the center, then right, and below them."""
        height, width = fitted_size(*photos.size(index), self.input_size)
        xyxy_canvas, xyxy_photo = get_mosaic_coordinate(
            None, corner, center_x, center_y, width, height, *self.input_size
        )
        return _Tile(index, xyxy_canvas, xyxy_photo[:2])

    def _labels_on_canvas(self, photos: Photos, tile: _Tile) -> Labels:
        """A tile's labels, in pixels of the canvas and cut at its edges."""
        height, width = self.input_size
        scale, left, top = self._place(photos, tile)
        labels = photos.labels(tile.photo).copy()
        labels[:, 0:4:2] = np.clip(scale * labels[:, 0:4:2] + left, 0, 2 * width)
        labels[:, 1:4:2] = np.clip(scale * labels[:, 1:4:2] + top, 0, 2 * height)
        return labels

    def _unknown_on_canvas(self, photos: Photos, tile: _Tile) -> Unknown:
        """What is unknown of a tile, in pixels of the canvas and cut at its edges."""
        height, width = self.input_size
        unknown = photos.unknown(tile.photo)
        if not len(unknown.bits):
            return unknown
        return unknown.placed(*self._place(photos, tile)).cut(2 * width, 2 * height)

    def _place(self, photos: Photos, tile: _Tile) -> tuple[float, int, int]:
        """By how much a photo is scaled, and where on the canvas its top left corner lies."""
        scale = scale_to_fit(*photos.size(tile.photo), self.input_size)
        x, y = tile.xy_photo
        return scale, tile.xyxy_canvas[0] - x, tile.xyxy_canvas[1] - y

    def _view(self, photos: Photos, tiles: list[_Tile], matrix: NDArray[np.float64]) -> Image:
        """What shows of the tiles, by an affine matrix [2, 3] from canvas to image.

        Only the part of the canvas that shows is painted; the rest of it holds older tiles.
        """
        height, width = self.input_size
        left, top, right, bottom = seen = self._seen(matrix)
        self.canvas[top:bottom, left:right] = GRAY
        for tile in tiles:
            self._paste(photos, tile, seen)
        gray = (GRAY, GRAY, GRAY)
        image = cv2.warpAffine(self.canvas, matrix, (width, height), borderValue=gray)
        return image.astype(np.uint8, copy=False)

    def _seen(self, matrix: NDArray[np.float64]) -> tuple[int, int, int, int]:
        """The part of the canvas, xyxy in its pixels, that the image shows."""
        height, width = self.input_size
        corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)])
        x, y = cv2.invertAffineTransform(matrix) @ corners.T
        return (
            max(int(x.min()) - MARGIN, 0),
            max(int(y.min()) - MARGIN, 0),
            min(int(x.max()) + MARGIN, 2 * width),
            min(int(y.max()) + MARGIN, 2 * height),
        )

    def _paste(self, photos: Photos, tile: _Tile, seen: tuple[int, int, int, int]) -> None:
        """Copy what is seen of a tile onto the canvas; a tile out of view is not read."""
        left, top = max(tile.xyxy_canvas[0], seen[0]), max(tile.xyxy_canvas[1], seen[1])
        right, bottom = min(tile.xyxy_canvas[2], seen[2]), min(tile.xyxy_canvas[3], seen[3])
        if left >= right or top >= bottom:
            return
        x = tile.xy_photo[0] + left - tile.xyxy_canvas[0]
        y = tile.xy_photo[1] + top - tile.xyxy_canvas[1]
        photo = fit(photos.pixels(tile.photo), self.input_size)
        self.canvas[top:bottom, left:right] = photo[y : y + bottom - top, x : x + right - left]
