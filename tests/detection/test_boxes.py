"""Box geometry, for any boxes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dminity.detection import boxes
from dminity.detection.boxes import Boxes

SIDE = st.floats(0, 1000, allow_nan=False, width=32)


@st.composite
def xyxy(draw: st.DrawFn) -> Boxes:
    """Up to 8 boxes with corners in order."""
    corners = draw(arrays(np.float64, (draw(st.integers(0, 8)), 2, 2), elements=SIDE))
    return np.concatenate((corners.min(axis=1), corners.max(axis=1)), axis=1)


@given(xyxy())
def test_center_and_size_round_trip(some: Boxes) -> None:
    np.testing.assert_allclose(boxes.cxcywh_to_xyxy(boxes.xyxy_to_cxcywh(some)), some, atol=1e-9)


@given(xyxy())
def test_corner_and_size_keep_the_area(some: Boxes) -> None:
    xywh = boxes.xyxy_to_xywh(some)
    np.testing.assert_allclose(xywh[:, :2] + xywh[:, 2:], some[:, 2:], atol=1e-9)


@given(xyxy(), st.integers(1, 4000), st.integers(1, 4000))
def test_clipping_keeps_boxes_inside_and_changes_none_that_was(
    some: Boxes, width: int, height: int
) -> None:
    clipped = boxes.clip_to_photo(some, width, height)
    assert (clipped >= 0).all()
    assert (clipped <= [width, height, width, height]).all()
    inside = (some <= [width, height, width, height]).all(axis=1)
    np.testing.assert_array_equal(clipped[inside], some[inside])


@given(xyxy(), xyxy())
def test_iou_is_symmetric_and_within_0_and_1(a: Boxes, b: Boxes) -> None:
    iou = boxes.pairwise_iou(a, b)
    assert iou.shape == (len(a), len(b))
    assert ((iou >= 0) & (iou <= 1 + 1e-9)).all()
    np.testing.assert_allclose(iou, boxes.pairwise_iou(b, a).T)


@given(xyxy())
def test_iou_with_itself_is_1_where_there_is_area(some: Boxes) -> None:
    width_and_height = some[:, 2:] - some[:, :2]
    solid = width_and_height.prod(axis=1) > 1e-6
    np.testing.assert_allclose(np.diag(boxes.pairwise_iou(some, some))[solid], 1)


@pytest.mark.parametrize(
    "function",
    [
        boxes.xyxy_to_cxcywh,
        boxes.cxcywh_to_xyxy,
        boxes.xyxy_to_xywh,
        lambda some: boxes.normalized_to_pixels(some, 640, 480),
        lambda some: boxes.clip_to_photo(some, 3, 3),
        lambda some: boxes.pairwise_iou(some, some),
    ],
)
def test_arguments_are_left_as_they_were(function: object) -> None:
    some = np.array([[0.0, 1.0, 5.0, 6.0], [2.0, 2.0, 2.0, 2.0]])
    before = some.copy()
    function(some)  # type: ignore[operator]
    np.testing.assert_array_equal(some, before)
