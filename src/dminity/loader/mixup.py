"""YOLOX's mixup: the mean of an image and of a photo, scaled, mirrored and cut at random."""

import random

import cv2
import numpy as np
from yolox.utils import adjust_box_anns

from dminity.detection.boxes import mirror_xyxy
from dminity.detection.letterbox import letterbox, scale_to_fit
from dminity.loader.photos import Image, Labels, Photos, Size
from dminity.loader.unknown import Unknown

# YOLOX's own setting.
SCALE = (0.5, 1.5)


class Mixup:
    """Mixes images of an input size with photos."""

    def __init__(self, input_size: Size) -> None:
        self.input_size = input_size

    def __call__(
        self, image: Image, labels: Labels, unknown: Unknown, photos: Photos
    ) -> tuple[Image, Labels, Unknown]:
        """The mean of an image [*input_size, 3] and a photo that has labels, and both's labels.

        What is unknown of either is unknown of the mean.
        """
        height, width = self.input_size
        factor = random.uniform(*SCALE)
        mirrored = random.uniform(0, 1) > 0.5
        index = random.randint(0, len(photos) - 1)
        while not len(photos.labels(index)):
            index = random.randint(0, len(photos) - 1)
        high, wide = int(height * factor), int(width * factor)
        top = random.randint(0, high - height - 1) if high > height else 0
        left = random.randint(0, wide - width - 1) if wide > width else 0

        partner = cv2.resize(letterbox(photos.pixels(index), self.input_size), (wide, high))
        scale = scale_to_fit(*photos.size(index), self.input_size) * factor
        partners = photos.unknown(index).placed(scale, 0, 0)
        xyxy = adjust_box_anns(photos.labels(index)[:, :4].copy(), scale, 0, 0, wide, high)
        if mirrored:
            partner = cv2.flip(partner, 1)
            xyxy = mirror_xyxy(xyxy, wide)
            partners = partners.mirrored(wide)
        xyxy[:, 0::2] = np.clip(xyxy[:, 0::2] - left, 0, width)
        xyxy[:, 1::2] = np.clip(xyxy[:, 1::2] - top, 0, height)
        added = np.hstack((xyxy, photos.labels(index)[:, 4:]))
        shown = partner[top : top + height, left : left + width].astype(np.uint8, copy=False)
        unknown = Unknown.joined((unknown, partners.placed(1, -left, -top)))
        return _blend(image, shown), np.vstack((labels, added)), unknown


def _blend(image: Image, partner: Image) -> Image:
    """The mean of two images [H, W, 3]; below and beside a smaller partner there is black."""
    blended = np.zeros_like(image)
    blended[: partner.shape[0], : partner.shape[1]] = partner
    # YOLOX cuts the half off a mean, where OpenCV would round it.
    cv2.addWeighted(image, 0.5, blended, 0.5, -0.25, dst=blended)
    return blended
