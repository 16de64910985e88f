"""What a step takes."""

import pytest
import torch

from dminity.training.step import resized


@pytest.mark.parametrize("side", [352, 416, 480])
def test_photos_come_to_any_side(side: int) -> None:
    images = torch.zeros(1, 416, 416, 3, dtype=torch.uint8)
    inputs, moved = resized(images, torch.full((1, 1, 5), 104.0), side)
    assert inputs.shape == (1, 3, side, side)
    assert moved[0, 0].tolist() == pytest.approx([104, *[side / 4] * 4])
