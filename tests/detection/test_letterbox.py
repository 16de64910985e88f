"""The letterbox against YOLOX's, and the way back."""

import numpy as np
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from yolox.data.data_augment import preproc

from dminity.detection.letterbox import (
    GRAY,
    STRIDE,
    filled_size,
    letterbox,
    network_input,
    scale_to_fit,
    unletterbox,
)


@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from([(64, 64), (96, 160)]))
def test_boxes_return_from_the_letterbox_to_where_they_were(
    height: int, width: int, input_size: tuple[int, int]
) -> None:
    scale = min(input_size[0] / height, input_size[1] / width)
    whole = np.array([[0, 0, width * scale, height * scale]])
    expected = np.array([[0, 0, width, height]], float)
    np.testing.assert_allclose(unletterbox(whole, height, width, input_size), expected, rtol=1e-9)


@given(st.integers(2, 300), st.integers(2, 300))
def test_the_letterbox_is_yoloxs_own(height: int, width: int) -> None:
    scale = scale_to_fit(height, width, (128, 192))
    assume(min(int(height * scale), int(width * scale)) > 0)  # YOLOX's own fails there
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    image = letterbox(photo, (128, 192))
    expected, _ = preproc(photo, (128, 192))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(network_input(torch.from_numpy(image)[None])[0], expected)


@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from([(64, 64), (96, 160)]))
def test_what_a_photo_fills_is_its_letterbox_without_the_gray(
    height: int, width: int, input_size: tuple[int, int]
) -> None:
    photo = np.random.default_rng(0).integers(0, 100, (height, width, 3), np.uint8)
    filled = filled_size(height, width, input_size)
    whole = letterbox(photo, input_size)
    seen = letterbox(photo, input_size, filled)
    np.testing.assert_array_equal(seen, whole[: filled[0], : filled[1]])
    assert (whole[filled[0] :] == GRAY).all()
    assert (whole[:, filled[1] :] == GRAY).all()
    # A stride less would not do.
    is_photo = (whole != GRAY).any(axis=2)
    assert [side % STRIDE for side in filled] == [0, 0]
    assert is_photo[filled[0] - STRIDE :].any()
    assert is_photo[:, filled[1] - STRIDE :].any()


def test_photos_of_the_usual_shapes_fill_two_thirds_and_three_quarters() -> None:
    assert filled_size(1066, 1600, (416, 416)) == (288, 416)
    assert filled_size(4032, 3024, (416, 416)) == (416, 320)
    assert filled_size(500, 500, (640, 640)) == (640, 640)
