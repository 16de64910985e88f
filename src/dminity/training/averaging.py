"""The moving average of the weights, which is what training evaluates and delivers."""

import copy
import math

import torch
from torch import nn
from yolox.models import YoloxModule

# YOLOX's own settings: the average forgets little, after a start in which it follows closely.
DECAY = 0.9998
RAMP_STEPS = 2000


def average_of(network: YoloxModule) -> YoloxModule:
    """A copy of a network to hold its average: without gradients."""
    return copy.deepcopy(network).requires_grad_(False)


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, step: int) -> None:
    """Move the average, batch-norm statistics included, towards the network after its nth step.

    As `yolox.utils.ModelEMA`, in a few calls instead of three for each of 500 tensors.
    """
    decay = DECAY * (1 - math.exp(-step / RAMP_STEPS))
    torch._foreach_lerp_(_floats(average), _floats(network), 1 - decay)


def _floats(network: nn.Module) -> list[torch.Tensor]:
    """All that is averaged: every weight and statistic, but no counters."""
    return [value for value in network.state_dict().values() if value.is_floating_point()]
