"""YOLOX's augmentation of training photos, in a fraction of the time.

Numbers are drawn from Python's `random` and from `np.random` in the order in which YOLOX's
`MosaicDetection` and `TrainTransform` draw them: the same seeds give the same boxes and the same
pixels. What is saved is work that leaves no trace: tiles out of view are not even read, photos are
not copied, colors change in 8 bits, and the image stays uint8 [H, W, 3].
"""

import random

import numpy as np
from numpy.typing import NDArray

from dminity.detection.boxes import xyxy_to_cxcywh
from dminity.detection.letterbox import letterbox, scale_to_fit
from dminity.loader.mixup import Mixup
from dminity.loader.mosaic import Mosaic
from dminity.loader.photos import Image, Labels, Photos, Size
from dminity.loader.settings import AugmentationSettings
from dminity.loader.transforms import ColorChange, HorizontalFlip, Transform
from dminity.loader.unknown import Unknown

MAX_LABELS = 120


class Augmentation:
    """A photo, or a mosaic of four, changed at random into what the network trains on.

    Its mosaic holds a canvas, so that an instance serves one thread.
    """

    def __init__(self, input_size: Size, settings: AugmentationSettings) -> None:
        self.input_size = input_size
        self.settings = settings
        self.mosaic = Mosaic(input_size)
        self.mixup = Mixup(input_size)
        # In the order in which they draw and are applied.
        self.transforms: tuple[Transform, ...] = (
            ColorChange(settings.hsv),
            HorizontalFlip(settings.flip),
        )

    def __call__(
        self, photos: Photos, index: int, with_mosaic: bool
    ) -> tuple[Image, NDArray[np.float32], Unknown]:
        """An image [*input_size, 3], BGR, that is the caller's, and its targets [MAX_LABELS, 5].

        Targets are the class, and cxcywh in input pixels; rows of zeros are padding. With them
        comes what is unknown of the image. Partners for mosaic and mixup come from all `photos`.
        Without `with_mosaic` there is neither.
        """
        if with_mosaic and random.random() < self.settings.mosaic:
            image, labels, unknown = self.mosaic(photos, index)
            if len(labels) and random.random() < self.settings.mixup:
                image, labels, unknown = self.mixup(image, labels, unknown, photos)
            return self._transform(image, labels, unknown)
        known = photos.labels(index), photos.unknown(index)
        image, targets, unknown = self._transform(photos.pixels(index), *known)
        return letterbox(image, self.input_size), targets, unknown

    def _transform(
        self, image: Image, labels: Labels, unknown: Unknown
    ) -> tuple[Image, NDArray[np.float32], Unknown]:
        """Apply the transforms to an image of any size, and make targets of its labels.

        As in YOLOX, an image without boxes stays as it is; boxes that are at most a pixel high or
        wide are dropped, and an image that would lose all by that keeps them and stays as it is.
        """
        height, width = image.shape[:2]
        scale = scale_to_fit(height, width, self.input_size)
        if not len(labels):
            return image, np.zeros((MAX_LABELS, 5), np.float32), unknown.placed(scale, 0, 0)
        drawn = [transform.draw() for transform in self.transforms]
        changes = [change for change in drawn if change is not None]
        xyxy, classes = labels[:, :4], labels[:, 4:]
        changed_xyxy = xyxy
        for change in changes:
            changed_xyxy = change.boxes(changed_xyxy, (height, width))
        cxcywh = scale * xyxy_to_cxcywh(changed_xyxy)
        kept = np.minimum(cxcywh[:, 2], cxcywh[:, 3]) > 1
        if not kept.any():
            targets = padded(classes, scale * xyxy_to_cxcywh(xyxy))
            return image, targets, unknown.placed(scale, 0, 0)
        for change in changes:
            image = change.image(image)
            unknown = change.unknown(unknown, (height, width))
        return image, padded(classes[kept], cxcywh[kept]), unknown.placed(scale, 0, 0)


def padded(classes: NDArray[np.float32], cxcywh: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first MAX_LABELS of classes [N, 1] and boxes [N, 4], and rows of zeros after them."""
    targets = np.zeros((MAX_LABELS, 5), np.float32)
    targets[: len(classes), 0:1] = classes[:MAX_LABELS]
    targets[: len(classes), 1:] = cxcywh[:MAX_LABELS]
    return targets
