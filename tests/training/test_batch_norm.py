"""What the statistics of batch norm remember."""

import pytest
import torch
from torch import nn

from dminity.training.batch_norm import shorten_memory


@pytest.mark.parametrize(("steps", "left"), [(10, 0.75**10), (400, 0.95**10), (10_000, 0.97**10)])
def test_statistics_look_back_as_far_as_the_average_of_the_weights_within_limits(
    steps: int, left: float
) -> None:
    norm = nn.BatchNorm2d(4)
    network = nn.Sequential(nn.Conv2d(3, 4, 1), norm)
    shorten_memory(network, steps)
    features: list[torch.Tensor] = []
    norm.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0].detach()))
    draw = torch.Generator().manual_seed(0)
    photos = torch.rand(8, 3, 16, 16, generator=draw)
    for _ in range(10):
        network(photos)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    # They began as mean 0 and variance 1.
    mean, variance = features[0].mean(dim=(0, 2, 3)), features[0].var(dim=(0, 2, 3))
    torch.testing.assert_close(norm.running_mean, (1 - left) * mean)
    torch.testing.assert_close(norm.running_var, left + (1 - left) * variance)
