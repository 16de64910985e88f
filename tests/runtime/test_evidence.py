"""What is cut out of photos."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dminity.runtime.evidence import LONGEST_SIDE, cut_out


def cut(photo: NDArray[np.uint8], *boxes: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """The part that shows boxes."""
    content = cut_out(photo, np.array(boxes, np.float64))
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def test_all_boxes_are_on_it_with_a_margin() -> None:
    photo = np.zeros((300, 400, 3), np.uint8)
    photo[100:200, 100:150] = photo[150:200, 180:200] = 255
    part = cut(photo, (100, 100, 150, 200), (180, 150, 200, 200))
    assert part.shape == (141, 141, 3)
    assert (part > 128).sum() == pytest.approx((photo > 128).sum(), rel=0.02)


@pytest.mark.parametrize(
    "box", [(0, 0, 400, 300), (399, 299, 400, 300), (400, 300, 400, 300), (5, 5, 5, 5)]
)
def test_it_ends_where_the_photo_ends(box: tuple[float, float, float, float]) -> None:
    part = cut(np.zeros((300, 400, 3), np.uint8), box)
    assert min(part.shape[:2]) >= 1
    assert part.shape[0] <= 300


def test_it_is_small() -> None:
    assert max(cut(np.zeros((3000, 400, 3), np.uint8), (0, 0, 400, 3000)).shape) == LONGEST_SIDE
