"""Filters of trained weights, brought to the norm of fresh ones.

A batch norm takes the length of a filter out again, so that no length is wrong; but a step turns a
short filter further than a long one. Some checkpoints have batch norms that were put back after
they had been folded, with filters of norms from 0.001 to 10: no rate is right for all of them, and
in a first step at a usual rate the shortest ones lose what they knew. At one length all are turned
as far, and as those of a training from scratch.
"""

import math

import torch
from torch import nn
from yolox.models.network_blocks import BaseConv

# PyTorch draws a filter's weights from a variance of one third over their number.
FRESH_NORM = math.sqrt(1 / 3)
DEAD_NORM = 1e-12


@torch.no_grad()
def even_out(network: nn.Module) -> None:
    """Give all filters before a batch norm the norm of fresh ones; what is found stays.

    Of a filter that becomes f times as long, statistics follow. The scale of its batch norm makes
    up for the epsilon, which counts for less beside larger variances: so the same is found with the
    statistics of a batch, where those are the running ones. Filters without a weight stay.
    """
    for block in network.modules():
        if not isinstance(block, BaseConv):
            continue
        filters, norm = block.conv.weight, block.bn
        lengths = filters.flatten(1).norm(dim=1)
        factors = (FRESH_NORM / lengths).where(lengths > DEAD_NORM, 1.0)
        before = (norm.running_var + norm.eps).sqrt()
        filters.mul_(factors[:, None, None, None])
        norm.running_mean.mul_(factors)
        norm.running_var.mul_(factors.square())
        norm.weight.mul_((norm.running_var + norm.eps).sqrt() / (factors * before))
