"""Photo to network input and back: YOLOX's letterbox, at the top left, grey where no photo is."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dminity.detection.boxes import Boxes, clip_to_photo

GREY = 114


def scale_to_fit(height: int, width: int, input_size: tuple[int, int]) -> float:
    """By how much a photo shrinks or grows to fit into the [height, width] of the network."""
    return min(input_size[0] / height, input_size[1] / width)


def fitted_size(height: int, width: int, input_size: tuple[int, int]) -> tuple[int, int]:
    """The height and width that a photo has after `fit`."""
    scale = scale_to_fit(height, width, input_size)
    return max(1, int(height * scale)), max(1, int(width * scale))


def fit(photo: NDArray[np.uint8], input_size: tuple[int, int]) -> NDArray[np.uint8]:
    """A photo [H, W, 3] scaled, its proportions kept, to fit into `input_size`."""
    height, width = fitted_size(photo.shape[0], photo.shape[1], input_size)
    if (height, width) == photo.shape[:2]:
        return photo
    fitted = cv2.resize(photo, (width, height), interpolation=cv2.INTER_LINEAR)
    return fitted.astype(np.uint8, copy=False)


def letterbox(photo_bgr: NDArray[np.uint8], input_size: tuple[int, int]) -> NDArray[np.uint8]:
    """A photo [H, W, 3] in the square that the network sees: [*input_size, 3], BGR, 0-255."""
    fitted = fit(photo_bgr, input_size)
    padded = np.full((*input_size, 3), GREY, np.uint8)
    padded[: fitted.shape[0], : fitted.shape[1]] = fitted
    return padded


def unletterbox(
    xyxy_input_pixels: Boxes, height: int, width: int, input_size: tuple[int, int]
) -> Boxes:
    """Boxes [N, 4] in pixels of the network input to pixels of the photo, cut at its edges."""
    scale = scale_to_fit(height, width, input_size)
    return clip_to_photo(xyxy_input_pixels / scale, width, height)
