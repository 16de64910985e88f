"""The moving average of the weights, which is what training evaluates and delivers."""

import copy

import torch
from torch import nn
from yolox.models import YoloxModule

# It looks back over this share of the whole training, and over no more steps than YOLOX's does.
MEMORY_SHARE = 0.05
LONGEST_MEMORY_STEPS = 5000
# In the beginning it looks back over this share of the steps that there were.
MEMORY_SHARE_SO_FAR = 0.25


def average_of(network: YoloxModule) -> YoloxModule:
    """A copy of a network to hold its average: without gradients."""
    return copy.deepcopy(network).requires_grad_(False)


@torch.no_grad()
def follow(average: list[torch.Tensor], network: list[torch.Tensor], step: int, steps: int) -> None:
    """Move the average, batch-norm statistics included, towards the network after its nth step.

    YOLOX's own average looks back over 5,000 steps, and in the first 2,000 over next to none: in a
    training of 1,000 steps it would be no average.

    Args:
        average: `averaged` of what moves.
        network: `averaged` of what it follows.
        step: how many steps the network has taken.
        steps: how many there are in the whole training.
    """
    torch._foreach_lerp_(average, network, 1 / memory_steps(step, steps))


def memory_steps(step: int, steps: int) -> float:
    """Over how many steps the average looks back, after so many of all.

    >>> [memory_steps(step, 1000) for step in (1, 40, 400)]
    [1.25, 11.0, 50.0]
    """
    return min(longest_memory_steps(steps), 1 + MEMORY_SHARE_SO_FAR * step)


def longest_memory_steps(steps: int) -> float:
    """Over how many steps the average looks back in the end, if there are so many in all.

    >>> [longest_memory_steps(steps) for steps in (15, 1000, 10**6)]
    [1.0, 50.0, 5000]
    """
    return max(1.0, min(MEMORY_SHARE * steps, LONGEST_MEMORY_STEPS))


def averaged(network: nn.Module) -> list[torch.Tensor]:
    """All that is averaged: every weight and statistic, but no counters.

    They are the network's own memory, for as long as it stays on its device. To collect them takes
    eight times as long as to move them.
    """
    return [value for value in network.state_dict().values() if value.is_floating_point()]
