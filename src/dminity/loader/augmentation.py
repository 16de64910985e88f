"""YOLOX's mosaic, mixup, color change and flip, in a fraction of the time.

Numbers are drawn from Python's `random` and from `np.random` in the order in which YOLOX's
`MosaicDetection` and `TrainTransform` draw them: the same seeds give the same boxes and the same
pixels. What is saved is work that leaves no trace: tiles out of view are not even read, photos are
not copied, colors change in 8 bits, and the image stays uint8 [H, W, 3].
"""
# ruff: noqa: S311 - what is drawn here guards no secret

import random
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from yolox.data.data_augment import apply_affine_to_bboxes, get_affine_matrix
from yolox.data.datasets.mosaicdetection import get_mosaic_coordinate
from yolox.utils import adjust_box_anns

from dminity.detection.boxes import xyxy_to_cxcywh
from dminity.detection.letterbox import GRAY, fit, fitted_size, letterbox, scale_to_fit
from dminity.loader.settings import AugmentationSettings

Image = NDArray[np.uint8]
Labels = NDArray[np.float32]
Size = tuple[int, int]

MAX_LABELS = 120
# YOLOX's own settings.
DEGREES = 10.0
TRANSLATE = 0.1
SHEAR = 2.0
MOSAIC_SCALE = (0.5, 1.5)
MIXUP_SCALE = (0.5, 1.5)
HSV_GAINS = (5, 30, 30)  # at most, of 180 hues, 256 saturations and 256 values
HUES = 180
# Canvas pixels around what the corners of the view show; the bilinear filter reads one more.
MARGIN = 2


class Photos(Protocol):
    """Labeled photos, fitted to the input size. What the methods return is not to be changed."""

    def __len__(self) -> int: ...

    def size(self, index: int) -> Size:
        """A photo's height and width, known without decoding it."""

    def labels(self, index: int) -> Labels:
        """A photo's labels [N, 5]: xyxy in its pixels, and the class."""

    def pixels(self, index: int) -> Image:
        """A photo [H, W, 3], BGR."""


class Tile(NamedTuple):
    """A photo's part of a mosaic."""

    photo: int  # its index
    xyxy_canvas: tuple[int, int, int, int]
    # The pixel of the photo that lies at the tile's top left corner.
    xy_photo: tuple[int, int]


class Augmentation:
    """A photo, or a mosaic of four, changed at random into what the network trains on.

    Holds a canvas of twice the input size (4.9 MB at 640), so that an instance serves one thread.
    """

    def __init__(self, input_size: Size, settings: AugmentationSettings) -> None:
        height, width = input_size
        self.input_size = input_size
        self.settings = settings
        self.canvas = np.empty((2 * height, 2 * width, 3), np.uint8)

    def __call__(
        self, photos: Photos, index: int, with_mosaic: bool
    ) -> tuple[Image, NDArray[np.float32]]:
        """An image [H, W, 3], BGR, that is the caller's, and its targets [MAX_LABELS, 5].

        Targets are the class, and cxcywh in input pixels; rows of zeros are padding. Partners for
        mosaic and mixup come from all `photos`. Without `with_mosaic` there is neither.
        """
        if with_mosaic and random.random() < self.settings.mosaic:
            image, labels = self.mosaic(photos, index)
            if len(labels) and random.random() < self.settings.mixup:
                image, labels = self.mixup(image, labels, photos)
            return self.finish(image, labels)
        image, targets = self.finish(photos.pixels(index), photos.labels(index))
        return letterbox(image, self.input_size), targets

    def mosaic(self, photos: Photos, index: int) -> tuple[Image, Labels]:
        """Four photos around a random point of the canvas, turned, sheared, scaled and moved."""
        height, width = self.input_size
        center_y = int(random.uniform(0.5 * height, 1.5 * height))
        center_x = int(random.uniform(0.5 * width, 1.5 * width))
        indices = [index, *(random.randint(0, len(photos) - 1) for _ in range(3))]
        matrix, scale = get_affine_matrix((width, height), DEGREES, TRANSLATE, MOSAIC_SCALE, SHEAR)
        tiles = [
            self.tile(photos, index, corner, center_x, center_y)
            for corner, index in enumerate(indices)
        ]
        labels = np.concatenate([self.labels_on_canvas(photos, tile) for tile in tiles])
        if len(labels):
            labels = apply_affine_to_bboxes(labels, (width, height), matrix, scale)
        return self.view(photos, tiles, matrix), labels

    def tile(self, photos: Photos, index: int, corner: int, center_x: int, center_y: int) -> Tile:
        """Where a photo lies: corner 0 is top left of the center, then right, and below them."""
        height, width = fitted_size(*photos.size(index), self.input_size)
        xyxy_canvas, xyxy_photo = get_mosaic_coordinate(
            None, corner, center_x, center_y, width, height, *self.input_size
        )
        return Tile(index, xyxy_canvas, xyxy_photo[:2])

    def labels_on_canvas(self, photos: Photos, tile: Tile) -> Labels:
        """A tile's labels, in pixels of the canvas and cut at its edges."""
        height, width = self.input_size
        left, top = tile.xyxy_canvas[0] - tile.xy_photo[0], tile.xyxy_canvas[1] - tile.xy_photo[1]
        scale = scale_to_fit(*photos.size(tile.photo), self.input_size)
        labels = photos.labels(tile.photo).copy()
        labels[:, 0:4:2] = np.clip(scale * labels[:, 0:4:2] + left, 0, 2 * width)
        labels[:, 1:4:2] = np.clip(scale * labels[:, 1:4:2] + top, 0, 2 * height)
        return labels

    def view(self, photos: Photos, tiles: list[Tile], matrix: NDArray[np.float64]) -> Image:
        """What shows of the tiles, by an affine matrix [2, 3] from canvas to image.

        Only the part of the canvas that shows is painted; the rest of it holds older tiles.
        """
        height, width = self.input_size
        left, top, right, bottom = seen = self.seen(matrix)
        self.canvas[top:bottom, left:right] = GRAY
        for tile in tiles:
            self.paste(photos, tile, seen)
        gray = (GRAY, GRAY, GRAY)
        image = cv2.warpAffine(self.canvas, matrix, (width, height), borderValue=gray)
        return image.astype(np.uint8, copy=False)

    def seen(self, matrix: NDArray[np.float64]) -> tuple[int, int, int, int]:
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

    def paste(self, photos: Photos, tile: Tile, seen: tuple[int, int, int, int]) -> None:
        """Copy what is seen of a tile onto the canvas; a tile out of view is not read."""
        left, top = max(tile.xyxy_canvas[0], seen[0]), max(tile.xyxy_canvas[1], seen[1])
        right, bottom = min(tile.xyxy_canvas[2], seen[2]), min(tile.xyxy_canvas[3], seen[3])
        if left >= right or top >= bottom:
            return
        x = tile.xy_photo[0] + left - tile.xyxy_canvas[0]
        y = tile.xy_photo[1] + top - tile.xyxy_canvas[1]
        photo = fit(photos.pixels(tile.photo), self.input_size)
        self.canvas[top:bottom, left:right] = photo[y : y + bottom - top, x : x + right - left]

    def mixup(self, image: Image, labels: Labels, photos: Photos) -> tuple[Image, Labels]:
        """The mean of the image and of a photo with labels, scaled, mirrored and cut at random."""
        height, width = self.input_size
        factor = random.uniform(*MIXUP_SCALE)
        mirrored = random.uniform(0, 1) > 0.5
        index = random.randint(0, len(photos) - 1)
        while not len(photos.labels(index)):
            index = random.randint(0, len(photos) - 1)
        high, wide = int(height * factor), int(width * factor)
        top = random.randint(0, high - height - 1) if high > height else 0
        left = random.randint(0, wide - width - 1) if wide > width else 0

        partner = cv2.resize(letterbox(photos.pixels(index), self.input_size), (wide, high))
        scale = scale_to_fit(*photos.size(index), self.input_size) * factor
        xyxy = adjust_box_anns(photos.labels(index)[:, :4].copy(), scale, 0, 0, wide, high)
        if mirrored:
            partner = cv2.flip(partner, 1)
            xyxy = mirror(xyxy, wide)
        xyxy[:, 0::2] = np.clip(xyxy[:, 0::2] - left, 0, width)
        xyxy[:, 1::2] = np.clip(xyxy[:, 1::2] - top, 0, height)
        added = np.hstack((xyxy, photos.labels(index)[:, 4:]))
        shown = partner[top : top + height, left : left + width].astype(np.uint8, copy=False)
        return blend(image, shown), np.vstack((labels, added))

    def finish(self, image: Image, labels: Labels) -> tuple[Image, NDArray[np.float32]]:
        """Change colors and mirror an image of any size, and make targets of its labels.

        As in YOLOX, an image without boxes stays as it is; boxes that are at most a pixel high or
        wide are dropped, and an image that would lose all by that keeps them and stays as it is.
        """
        if not len(labels):
            return image, np.zeros((MAX_LABELS, 5), np.float32)
        gains = draw_gains() if random.random() < self.settings.hsv else None
        mirrored = random.random() < self.settings.flip

        height, width = image.shape[:2]
        xyxy, classes = labels[:, :4], labels[:, 4:]
        scale = scale_to_fit(height, width, self.input_size)
        cxcywh = scale * xyxy_to_cxcywh(mirror(xyxy, width) if mirrored else xyxy)
        kept = np.minimum(cxcywh[:, 2], cxcywh[:, 3]) > 1
        if not kept.any():
            return image, padded(classes, scale * xyxy_to_cxcywh(xyxy))
        if gains is not None:
            image = change_colors(image, *gains)
        if mirrored:
            image = cv2.flip(image, 1).astype(np.uint8, copy=False)
        return image, padded(classes[kept], cxcywh[kept])


def blend(image: Image, partner: Image) -> Image:
    """The mean of two images [H, W, 3]; below and beside a smaller partner there is black."""
    blended = np.zeros_like(image)
    blended[: partner.shape[0], : partner.shape[1]] = partner
    # YOLOX cuts the half off a mean, where OpenCV would round it.
    cv2.addWeighted(image, 0.5, blended, 0.5, -0.25, dst=blended)
    return blended


def mirror(xyxy: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Boxes [N, 4], in pixels, of an image of this width when left and right change places."""
    mirrored = xyxy.copy()
    mirrored[:, 0::2] = width - xyxy[:, 2::-2]
    return mirrored


def padded(classes: NDArray[np.float32], cxcywh: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first MAX_LABELS of classes [N, 1] and boxes [N, 4], and rows of zeros after them."""
    targets = np.zeros((MAX_LABELS, 5), np.float32)
    targets[: len(classes), 0:1] = classes[:MAX_LABELS]
    targets[: len(classes), 1:] = cxcywh[:MAX_LABELS]
    return targets


def draw_gains() -> tuple[int, int, int]:
    """What to add to hue, saturation and value: each is 0 in half of the cases."""
    gains = np.random.uniform(-1, 1, 3) * HSV_GAINS * np.random.randint(0, 2, 3)
    hue, saturation, value = gains.astype(int).tolist()
    return hue, saturation, value


def change_colors(image: Image, hue: int, saturation: int, value: int) -> Image:
    """A copy of an image [H, W, 3], BGR, with other colors.

    Even gains of 0 cost it some: 8 bits hold fewer colors as HSV than as BGR. YOLOX has it so.
    """
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    if hue:
        hues = ((np.arange(256) + hue) % HUES).astype(np.uint8)
        cv2.insertChannel(cv2.LUT(cv2.extractChannel(hsv, 0), hues), hsv, 0)
    # OpenCV's sums stay within 0-255 by themselves, and are of 8 bits if nothing is negative.
    change = np.array((0.0, saturation, value, 0.0))
    cv2.add(hsv, np.maximum(change, 0), dst=hsv)
    cv2.subtract(hsv, np.maximum(-change, 0), dst=hsv)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR).astype(np.uint8, copy=False)
