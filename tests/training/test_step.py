"""What a step takes."""

import pytest
import torch

from dminity.training.step import Batch, resized


@pytest.mark.parametrize("side", [352, 416, 480])
def test_photos_come_to_any_side(side: int) -> None:
    images = torch.zeros(1, 416, 416, 3, dtype=torch.uint8)
    images[:, 104:, :208] = 255
    cells = (images[:, ::8, ::8, 0] == 255).long() << 40
    inputs, moved, unknown = resized(Batch(images, torch.full((1, 1, 5), 104.0), cells), side)
    assert inputs.shape == (1, 3, side, side)
    assert moved[0, 0].tolist() == pytest.approx([104, *[side / 4] * 4])
    # The map of the pixels that came of it, but where the center of a cell is at an edge.
    centers = inputs[:, 0, 4::8, 4::8]
    assert unknown.shape == centers.shape
    sure = (centers == 0) | (centers == 255)
    assert sure.float().mean() > 0.9
    assert torch.equal(unknown[sure], (centers[sure] == 255).long() << 40)


def test_batches_are_cut_with_all_that_is_said_of_them() -> None:
    images, targets = torch.arange(5).reshape(5, 1, 1, 1), torch.arange(5).reshape(5, 1, 1)
    for unknown in (torch.arange(5).reshape(5, 1, 1), torch.zeros(5, 0, 0)):
        parts = Batch(images, targets, unknown).parts(3)
        assert [part.images.flatten().tolist() for part in parts] == [[0, 1], [2, 3], [4]]
        assert all(torch.equal(part.images.flatten(), part.targets.flatten()) for part in parts)
        assert [len(part.unknown) for part in parts] == [2, 2, 1]
