"""Photo to network input and back: YOLOX's letterbox.

What a YOLOX network expects, from https://github.com/Megvii-BaseDetection/YOLOX (`preproc`):

1. A photo [H, W, 3], uint8, blue, green, red, upright (`data.voc.read_photo`).
2. `letterbox`: scaled by min(input height / H, input width / W), its proportions kept, bilinearly
   (`cv2.INTER_LINEAR`); sides cut off to whole pixels, at least 1; put at the top left of the
   input, the rest of which is gray (114). Still [input height, input width, 3], uint8, BGR.
   In training the input is a square. Where photos are looked at, it is `filled_size`: the part of
   that square that a photo fills, in whole strides. Nothing is found in gray, and it takes as long.
3. `network_input`: a batch of those as [B, 3, input height, input width], float32, BGR, 0-255:
   neither divided by 255 nor normalized.

Boxes come back in pixels of the input; `unletterbox` divides them by the scale and cuts them off at
the edges of the photo.
"""

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from dminity.detection.boxes import Boxes, clip_to_photo

if TYPE_CHECKING:
    import torch

GRAY = 114
# In pixels of the input, how far apart the anchor points of the coarsest level are.
STRIDE = 32


def scale_to_fit(height: int, width: int, input_size: tuple[int, int]) -> float:
    """By how much a photo shrinks or grows to fit into the [height, width] of the network."""
    return min(input_size[0] / height, input_size[1] / width)


def fitted_size(height: int, width: int, input_size: tuple[int, int]) -> tuple[int, int]:
    """The height and width in pixels that a photo has after `fit`."""
    scale = scale_to_fit(height, width, input_size)
    return max(1, int(height * scale)), max(1, int(width * scale))


def filled_size(height: int, width: int, input_size: tuple[int, int]) -> tuple[int, int]:
    """The height and width in pixels, in whole strides, of the input that a photo fills.

    A letterbox of this size has the photo in the same pixels, and least gray.
    """
    fitted_height, fitted_width = fitted_size(height, width, input_size)
    return -(-fitted_height // STRIDE) * STRIDE, -(-fitted_width // STRIDE) * STRIDE


def fit(photo: NDArray[np.uint8], input_size: tuple[int, int]) -> NDArray[np.uint8]:
    """A photo [H, W, 3] scaled, its proportions kept, to fit into `input_size`."""
    height, width = fitted_size(photo.shape[0], photo.shape[1], input_size)
    if (height, width) == photo.shape[:2]:
        return photo
    fitted = cv2.resize(photo, (width, height), interpolation=cv2.INTER_LINEAR)
    return fitted.astype(np.uint8, copy=False)


def letterbox(
    photo_bgr: NDArray[np.uint8],
    input_size: tuple[int, int],
    seen_size: tuple[int, int] | None = None,
) -> NDArray[np.uint8]:
    """A photo [H, W, 3] in the rectangle that the network sees: [*seen_size, 3], uint8, BGR.

    Args:
        photo_bgr: uint8.
        input_size: the height and width in pixels that the photo is scaled to fit into.
        seen_size: those of the rectangle, at least `filled_size`; [input_size].
    """
    fitted = fit(photo_bgr, input_size)
    padded = np.full((*(seen_size or input_size), 3), GRAY, np.uint8)
    padded[: fitted.shape[0], : fitted.shape[1]] = fitted
    return padded


def network_input(letterboxed: "torch.Tensor") -> "torch.Tensor":
    """Photos [B, H, W, 3], uint8, as the network takes them: [B, 3, H, W], float32, BGR, 0-255.

    The result lies in memory as the photos did (channels last), which convolutions like best.
    """
    return letterboxed.permute(0, 3, 1, 2).float()


def unletterbox(
    xyxy_input_pixels: Boxes, height: int, width: int, input_size: tuple[int, int]
) -> Boxes:
    """Boxes [N, 4] in pixels of the network input to pixels of the photo, cut at its edges."""
    scale = scale_to_fit(height, width, input_size)
    return clip_to_photo(xyxy_input_pixels / scale, width, height)
