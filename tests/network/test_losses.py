"""Sums of losses."""

import pytest
import torch

from dminity.network.detector import build_network
from dminity.network.head import Truth
from dminity.network.losses import LossSums, head_losses
from tests.helpers.detectors import CLASSES, targets


def test_sums_of_parts_are_the_sum_of_the_whole() -> None:
    torch.manual_seed(0)
    network = build_network("yolox_nano", CLASSES).eval()
    images, labels = torch.rand(4, 3, 96, 96) * 255, targets(4, 3, 96, 1)
    assert (labels[3] == 0).all(), "a part without a box is among them"
    sums = []
    for chosen in (slice(0, 4), slice(0, 1), slice(1, 3), slice(3, 4)):
        losses = head_losses(
            network.head, network.backbone(images[chosen]), Truth(labels[chosen]), images[chosen]
        )
        sums.append(LossSums.of(losses, labels[chosen]))
        assert not network.head.training
    parts = LossSums.zeros(torch.device("cpu")) + sums[1] + sums[2] + sums[3]
    torch.testing.assert_close(parts.values, sums[0].values, rtol=1e-4, atol=1e-3)
    assert parts.means() == pytest.approx(sums[0].means(), rel=1e-4)
