"""The losses of the head, as sums that add up over the parts of a batch and over processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import nn

from dminity.network.head import Truth

# In the order in which the head gives them; the first is the sum of the others.
LOSSES = ("loss", "box_loss", "obj_loss", "cls_loss", "l1_loss")
# How many anchors are matched to a box; the library calls them foreground.
MATCHED = "num_fg"


@dataclass(frozen=True)
class LossSums:
    """Sums over some photos.

    values: [7], float32: each of LOSSES, how many anchors are matched to a box, how many boxes
    there are.
    """

    values: torch.Tensor

    @classmethod
    def zeros(cls, device: torch.device) -> Self:
        """Of no photos."""
        return cls(torch.zeros(len(LOSSES) + 2, device=device))

    @classmethod
    def of(cls, losses: dict[str, torch.Tensor], targets: torch.Tensor) -> Self:
        """Of the network's losses by name and its targets [B, labels, 5]."""
        boxes = (targets.sum(dim=2) > 0).sum()
        sums = [*(losses[name] for name in LOSSES), losses[MATCHED], boxes]
        return cls(torch.stack([value.detach().float() for value in sums]))

    def __add__(self, other: "LossSums") -> "LossSums":
        return LossSums(self.values + other.values)

    @property
    def divisor(self) -> float:
        """What losses are means over, as in YOLOX: the matched anchors, or 1 if there are none."""
        return max(1.0, self.values[-2].item())

    def means(self) -> dict[str, float]:
        """Each of LOSSES by name, and `num_fg`, the matched anchors per box."""
        *losses, matched, boxes = self.values.tolist()
        means = {name: value / self.divisor for name, value in zip(LOSSES, losses, strict=True)}
        return means | {MATCHED: matched / max(1.0, boxes)}


def named_losses(losses: Sequence[torch.Tensor]) -> dict[str, torch.Tensor]:
    """What a head gives in training, by name: each of LOSSES, and `num_fg`; scalars."""
    return dict(zip((*LOSSES, MATCHED), losses, strict=True))


def head_losses(
    head: nn.Module, features: Any, truth: Truth, images: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The losses of a head in evaluation mode, whose layers stay in that mode.

    Args:
        head: YOLOX's, as `network.head` makes it.
        features: of the backbone, a tensor [B, C, H, W] for each level.
        truth: what is said of the images.
        images: what the features are of: [B, 3, H, W].

    Returns:
        As `named_losses`.
    """
    head.training = True
    try:
        return named_losses(head(features, truth, images))
    finally:
        head.training = False
