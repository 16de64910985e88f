"""The moving average of weights and of what batch norm has seen."""

import pytest
import torch

from dminity.network.detector import build_network
from dminity.training.averaging import average_of, averaged, follow, memory_steps
from tests.helpers.detectors import CLASSES, targets


def test_the_average_moves_by_one_part_of_its_memory() -> None:
    torch.manual_seed(0)
    network = build_network("yolox_nano", CLASSES)
    average = average_of(network)
    wanted = {name: value.double() for name, value in network.state_dict().items()}
    for step in range(1, 6):
        with torch.no_grad():
            for weights in network.parameters():
                weights += torch.randn_like(weights) * 0.1
        network(torch.rand(2, 3, 64, 64), targets(2, 1, 64, 0))
        follow(averaged(average), averaged(network), step, 1000)
        share = 1 / memory_steps(step, 1000)
        for name, value in network.state_dict().items():
            wanted[name] += share * (value.double() - wanted[name])
    for name, value in average.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value.double(), wanted[name], rtol=1e-5, atol=1e-6)
        else:
            assert not value, "counters are no matter of an average"


@pytest.mark.parametrize(
    ("step", "steps", "memory"),
    [
        (2, 1000, 1.5),
        (1000, 1000, 50),
        (10_000, 60_000, 2501),
        (60_000, 60_000, 3000),
        (10**6, 10**6, 5000),
        (5, 5, 1),
    ],
)
def test_memory_is_a_share_of_the_training_and_no_longer_than_yoloxs(
    step: int, steps: int, memory: float
) -> None:
    assert memory_steps(step, steps) == memory
