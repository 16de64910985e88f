"""One step of training: gradients of a batch, in as many parts as fit into memory, and the update.

What a step computes does not depend on how it is spread over processes: losses are sums over the
anchors that are matched to a box, divided once by their number in the whole batch, and batch norm
takes its statistics over all processes. Nor, but for batch norm, does it depend on the parts that
a batch is cut into.
"""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, cast

import lightning as L
import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.strategies import ParallelStrategy
from torch.nn.functional import interpolate
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from yolox.models import YoloxModule

from dminity.core.errors import DminityError
from dminity.core.memory import is_out_of_memory
from dminity.detection.letterbox import STRIDE, network_input
from dminity.detection.unknown import SPACING
from dminity.network.losses import LossSums
from dminity.training.processes import total
from dminity.training.settings import TrainSettings


class Batch(NamedTuple):
    """Photos, and what is said of them.

    images: [B, H, W, 3], uint8, BGR. targets: [B, labels, 5], float32: the class, and cxcywh in
    pixels of the photos. unknown: maps [B, H / 4, W / 4], int64, or [B, 0, 0] if all is known.
    """

    images: torch.Tensor
    targets: torch.Tensor
    unknown: torch.Tensor

    def parts(self, number: int) -> "list[Batch]":
        """The batch cut into parts, as equal as may be: so many, or fewer."""
        return [
            Batch(*part) for part in zip(*(values.chunk(number) for values in self), strict=True)
        ]


class OutOfMemory(DminityError):
    """A batch does not fit into the memory of the device."""

    def __init__(self, num_photos: int, device: torch.device) -> None:
        memory = "the free memory" if device.type == "cpu" else f"the memory of {device}"
        super().__init__(
            f"{num_photos} photos at once do not fit into {memory}; lower "
            "train.batch_size (and raise train.accumulate), or train.input_size"
        )


class BatchTooSmall(DminityError):
    """A batch holds too little to take statistics of."""


class Step:
    """The network's gradients and updates, on the devices of a trainer.

    Attributes:
        parts: into how many parts the batches of each process are cut.
    """

    def __init__(self, network: YoloxModule, settings: TrainSettings) -> None:
        self.network = network
        # To walk through all modules takes as long as a product of all gradients with a number.
        self.weights = list(network.parameters())
        self.settings = settings
        self.parts = settings.accumulate

    def backward(
        self, module: L.LightningModule, batch: Batch, side: int
    ) -> tuple[dict[str, float], float]:
        """Give the network the gradients of a batch.

        Args:
            module: the module that Lightning trains.
            batch: this process's share of it.
            side: of the network input, in pixels.

        Returns:
            The mean losses over all processes, by name, and the norm of the gradient.

        Raises:
            OutOfMemory: if the batch does not fit, and is not to be cut into smaller parts.
            BatchTooSmall: if it is one photo of the smallest size.
        """
        sums = self._pass_what_fits(module, batch, side)
        sums = LossSums(total(sums.values))
        # Each of P processes divided the gradients of its sums by its B photos, and they were
        # averaged: sum / (B P). Wanted is sum / matched anchors, hence x B P / matched anchors.
        self._scale_gradients(module.trainer.world_size * len(batch.images) / sums.divisor)
        return sums.means(), self._clip_gradients(module)

    def update(self, module: L.LightningModule, lr: float, muon_lr: float) -> None:
        """Move the weights along the gradients, at the learning rates of SGD and of Muon.

        In float32: Lightning calls this where products are computed in the precision of the
        network, and 16 bits would cost Muon's iteration its digits and, on most CPUs, much time.
        """
        optimizer = cast(LightningOptimizer, module.optimizers())
        for group in optimizer.param_groups:
            group["lr"] = muon_lr if group["is_muon"] else lr
        with torch.autocast(module.device.type, enabled=False):
            optimizer.step()

    def _pass_what_fits(self, module: L.LightningModule, batch: Batch, side: int) -> LossSums:
        """Forward and backward in parts; parts that do not fit are halved, if that is wanted."""
        while True:
            cast(LightningOptimizer, module.optimizers()).zero_grad()
            try:
                return self._pass_parts(module, batch, side)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self.parts = self._halved_parts(module, len(batch.images), error)
            # Not until the error is gone does it let go of the memory.
            torch.cuda.empty_cache()

    def _pass_parts(self, module: L.LightningModule, batch: Batch, side: int) -> LossSums:
        """Forward and backward, part by part; processes exchange gradients after the last."""
        sums = LossSums.zeros(batch.images.device)
        parts = batch.parts(self.parts)
        for number, part in enumerate(parts):
            self._refuse_one_value(module, len(part.images), side)
            inputs, targets, unknown = resized(part, side)
            with nullcontext() if number == len(parts) - 1 else _without_exchange(module):
                losses = self.network(inputs, targets, unknown)
                module.manual_backward(losses["loss"] / len(batch.images))
            sums += LossSums.of(losses, targets)
        return sums

    def _refuse_one_value(self, module: L.LightningModule, num_photos: int, side: int) -> None:
        """Refuse a pass in which the coarsest features are one value: batch norm wants two."""
        values = num_photos * (side // STRIDE) ** 2 * module.trainer.world_size
        if values < 2 and not self.settings.freeze_norms:
            raise BatchTooSmall(
                f"one photo of {side} x {side} pixels leaves batch norm one value to take a mean "
                "of; raise train.batch_size (or lower train.accumulate), or train.input_size"
            )

    def _halved_parts(self, module: L.LightningModule, num_photos: int, error: Exception) -> int:
        """Twice as many parts as so far."""
        alone = module.trainer.world_size == 1
        if self.settings.batch_size != "auto" or not alone or self.parts * 2 > num_photos:
            raise OutOfMemory(-(-num_photos // self.parts), module.device) from error
        return self.parts * 2

    def _scale_gradients(self, factor: float) -> None:
        """Multiply the gradients of all weights by a factor."""
        torch._foreach_mul_(self._gradients(), factor)

    def _clip_gradients(self, module: L.LightningModule) -> float:
        """Shorten the gradient to the norm `train.clip`, if that is set; return what its norm was.

        In fp16 gradients are multiplied by a scale until the optimizer steps, which leaves out
        steps that overflow: 0 is returned for their norm.
        """
        scaler = getattr(module.trainer.precision_plugin, "scaler", None)
        scale = float(scaler.get_scale()) if scaler else 1.0
        norm = get_total_norm(self._gradients())
        if self.settings.clip:
            clip_grads_with_norm_(self.weights, self.settings.clip * scale, norm)
        found = float(norm) / scale
        return found if math.isfinite(found) or not scaler else 0.0

    def _gradients(self) -> list[torch.Tensor]:
        """Those of all weights that learn."""
        return [weights.grad for weights in self.weights if weights.grad is not None]


def _without_exchange(module: L.LightningModule) -> AbstractContextManager[None]:
    """Gradients stay in their process for now."""
    strategy = module.trainer.strategy
    if isinstance(strategy, ParallelStrategy):
        return cast(AbstractContextManager[None], strategy.block_backward_sync())
    return nullcontext()


def resized(batch: Batch, side: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Photos as network input of a side, their targets in its pixels, their maps of its points."""
    images, targets, unknown = batch
    inputs = network_input(images)
    if side == inputs.shape[-1]:
        return inputs, targets, unknown
    scale = side / inputs.shape[-1]
    factors = targets.new_tensor([1, scale, scale, scale, scale])
    if unknown.numel():
        # The nearest points, but for those on the edge, where nothing is said: no anchor is there.
        points = torch.arange(side // SPACING, device=unknown.device) / scale
        nearest = points.round().long().clamp(1, unknown.shape[1] - 1)
        unknown = unknown[:, nearest][:, :, nearest]
    return interpolate(inputs, size=(side, side), mode="bilinear"), targets * factors, unknown
