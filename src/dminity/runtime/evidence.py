"""The part of a photo that shows something."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dminity.detection.boxes import Boxes, clip_to_photo

# Of the larger side of what is shown; people want to see what stands around it.
MARGIN = 0.2
LONGEST_SIDE = 480
QUALITY = 85


def cut_out(photo_bgr: NDArray[np.uint8], xyxy_pixels: Boxes) -> bytes:
    """A JPEG of the part of a photo that holds all boxes, with a margin.

    Args:
        photo_bgr: [H, W, 3], uint8.
        xyxy_pixels: [N, 4], N > 0.
    """
    corners = np.concatenate((xyxy_pixels[:, :2].min(axis=0), xyxy_pixels[:, 2:].max(axis=0)))
    margin = MARGIN * (corners[2:] - corners[:2]).max()
    outer = corners + np.array([-margin, -margin, margin, margin])
    height, width = photo_bgr.shape[:2]
    left, top, right, bottom = clip_to_photo(outer[None], width, height)[0].astype(int)
    # Whatever has no area still has a pixel.
    part = photo_bgr[min(top, height - 1) : bottom + 1, min(left, width - 1) : right + 1]
    scale = LONGEST_SIDE / max(part.shape[:2])
    if scale < 1:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    _, encoded = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes()
