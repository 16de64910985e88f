"""What a step takes."""

import pytest
import torch
from torch.nn.functional import max_pool2d

from dminity.training.step import Batch, resized


@pytest.mark.parametrize("side", [352, 416, 480])
def test_photos_come_to_any_side(side: int) -> None:
    images = torch.zeros(1, 416, 416, 3, dtype=torch.uint8)
    images[:, 104:, :208] = 255
    points = (images[:, ::4, ::4, 0] == 255).long() << 40
    inputs, moved, unknown = resized(Batch(images, torch.full((1, 1, 5), 104.0), points), side)
    assert inputs.shape == (1, 3, side, side)
    assert moved[0, 0].tolist() == pytest.approx([104, *[side / 4] * 4])
    # The map of the pixels that came of it, but within three pixels of an edge.
    brightest, darkest = max_pool2d(inputs, 7, 1, 3), -max_pool2d(-inputs, 7, 1, 3)
    sure = (brightest - darkest < 1)[:, 0, ::4, ::4]
    assert unknown.shape == sure.shape
    assert sure.float().mean() > 0.9
    assert torch.equal(unknown[sure], (inputs[:, 0, ::4, ::4][sure] > 128).long() << 40)


def test_batches_are_cut_with_all_that_is_said_of_them() -> None:
    images, targets = torch.arange(5).reshape(5, 1, 1, 1), torch.arange(5).reshape(5, 1, 1)
    for unknown in (torch.arange(5).reshape(5, 1, 1), torch.zeros(5, 0, 0)):
        parts = Batch(images, targets, unknown).parts(3)
        assert [part.images.flatten().tolist() for part in parts] == [[0, 1], [2, 3], [4]]
        assert all(torch.equal(part.images.flatten(), part.targets.flatten()) for part in parts)
        assert [len(part.unknown) for part in parts] == [2, 2, 1]
