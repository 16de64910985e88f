"""Box geometry. The convention is in every name, and no function changes its arguments.

`xyxy` is left, top, right, bottom; `cxcywh` is center and size. `normalized` runs from 0 to 1 over
the photo's width and height; `pixels` has its origin at the photo's top left corner, and a box that
covers the whole photo is (0, 0, width, height).
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.floating[Any]]
AnyBoxes = TypeVar("AnyBoxes", bound=Boxes)


def xyxy_to_cxcywh(xyxy: Boxes) -> Boxes:
    """Corners to center and size; both [N, 4], in the same unit and dtype.

    Rounded as YOLOX's `xyxy2cxcywh` does, to the bit.

    >>> xyxy_to_cxcywh(np.array([[0.0, 10.0, 4.0, 16.0]]))
    array([[ 2., 13.,  4.,  6.]])
    """
    top_left, size = xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]
    return np.concatenate((top_left + size * 0.5, size), axis=1)


def cxcywh_to_xyxy(cxcywh: Boxes) -> Boxes:
    """Center and size to corners; both [N, 4], in the same unit."""
    center, half = cxcywh[:, :2], cxcywh[:, 2:] / 2
    return np.concatenate((center - half, center + half), axis=1)


def xyxy_to_xywh(xyxy: Boxes) -> Boxes:
    """Corners to top left corner and size, as COCO stores boxes; both [N, 4]."""
    return np.concatenate((xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]), axis=1)


def normalized_to_pixels(xyxy_normalized: Boxes, width: int, height: int) -> Boxes:
    """Scale [N, 4] corners from 0-1 to a photo of `width` x `height` pixels."""
    pixels: Boxes = xyxy_normalized * np.array([width, height, width, height])
    return pixels


def clip_to_photo(xyxy_pixels: Boxes, width: int, height: int) -> Boxes:
    """Cut [N, 4] corners off at the photo's edges."""
    return np.clip(xyxy_pixels, 0, np.array([width, height, width, height]))


def mirror_xyxy(xyxy: AnyBoxes, width: int) -> AnyBoxes:
    """Corners [N, 4] in pixels of an image of this width, when left and right change places.

    >>> mirror_xyxy(np.array([[1.0, 10.0, 4.0, 16.0]]), 20)
    array([[16., 10., 19., 16.]])
    """
    mirrored = xyxy.copy()
    mirrored[:, 0::2] = width - xyxy[:, 2::-2]
    return mirrored


def pairwise_iou(a_xyxy: Boxes, b_xyxy: Boxes) -> Boxes:
    """Intersection over union of every box of `a` [N, 4] with every box of `b` [M, 4]: [N, M].

    Two boxes without area have an IoU of 0.

    >>> a, b = np.array([[0, 0, 2, 2.0]]), np.array([[0, 0, 2, 2.0], [1, 0, 3, 2.0]])
    >>> pairwise_iou(a, b).round(2)
    array([[1.  , 0.33]])
    """
    top_left = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    bottom_right = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    intersection = np.prod(np.clip(bottom_right - top_left, 0, None), axis=2)
    area_a = np.prod(a_xyxy[:, 2:] - a_xyxy[:, :2], axis=1)
    area_b = np.prod(b_xyxy[:, 2:] - b_xyxy[:, :2], axis=1)
    union = area_a[:, None] + area_b[None, :] - intersection
    iou: Boxes = np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)
    return iou
