"""Batch norm over all processes, on CPUs too, and how long its statistics remember.

With statistics of its own half, a process would train another network than one process does with
the whole batch. PyTorch's SyncBatchNorm does this on GPUs and refuses CPUs.
"""

from typing import Any

import torch
from torch import distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dminity.training.averaging import longest_memory_steps
from dminity.training.processes import total

# YOLOX's, by which statistics look back over some 33 steps, and one of 4: those of one or two small
# batches alone would be chance.
LONG_MEMORY_MOMENTUM, SHORT_MEMORY_MOMENTUM = 0.03, 0.25


class _SyncedBatchNorm(nn.BatchNorm2d):
    """Batch norm whose statistics in training are those of the photos of all processes."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Normalize [B, C, H, W]; B may differ from process to process."""
        if not self.training or not distributed.is_initialized():
            return super().forward(features)
        count, mean, variance = _statistics(features.float())
        with torch.no_grad():
            # As PyTorch does: the running variance is the unbiased one.
            unbiased = variance * count / (count - 1).clamp(min=1)
            self.running_mean.lerp_(mean, self.momentum)  # type: ignore[union-attr, arg-type]
            self.running_var.lerp_(unbiased, self.momentum)  # type: ignore[union-attr, arg-type]
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        return (features * scale[:, None, None] + shift[:, None, None]).to(features.dtype)


def _statistics(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Numbers per channel [1], and their mean and variance [C], over all processes.

    Gradients flow back through both, to every process.
    """
    channels = features.shape[1]
    count = features.new_tensor([features.numel() / channels])
    sums = _over_processes(torch.cat([features.sum(dim=(0, 2, 3)), count]))
    mean = sums[:channels] / sums[channels]
    centered = features - mean[:, None, None]
    variance = _over_processes(centered.square().sum(dim=(0, 2, 3))) / sums[channels]
    return sums[channels:].detach(), mean, variance


class _SumOverProcesses(torch.autograd.Function):
    """A sum over all processes, through which gradients flow back to each of them."""

    @staticmethod
    def forward(ctx: Any, numbers: torch.Tensor) -> torch.Tensor:
        """Sum [N] numbers over all processes."""
        return total(numbers)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        """Sum the gradients [N] too: a number of one process is part of the sum of each."""
        return total(gradients[0])


def _over_processes(numbers: torch.Tensor) -> torch.Tensor:
    """The sum over all processes."""
    summed: torch.Tensor = _SumOverProcesses.apply(numbers)
    return summed


def synchronize(network: nn.Module) -> None:
    """Make every batch norm of a network a synchronized one, its weights and statistics kept."""
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = _SyncedBatchNorm


def hold_statistics(network: nn.Module, held: bool) -> None:
    """Let all batch norms use the statistics that they have, or else those of each batch."""
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.train(not held)


def shorten_memory(network: nn.Module, steps: int) -> None:
    """Let statistics look back as far as the average of the weights in the end: 4 to 33 steps.

    In a training of 75 steps, YOLOX's memory of 33 holds statistics of weights that are long
    gone: what such a network answers grows from layer to layer, beyond what a float can hold.

    Args:
        network: to be trained.
        steps: how many there are in the whole training.
    """
    momentum = 1 / longest_memory_steps(steps)
    momentum = min(max(momentum, LONG_MEMORY_MOMENTUM), SHORT_MEMORY_MOMENTUM)
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.momentum = momentum
