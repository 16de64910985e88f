"""The losses of the head, as sums that add up over the parts of a batch and over processes."""

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import nn

# The pipeline's names of the losses, and the library's, in the order of its head.
LOSSES = {
    "loss": "total_loss",
    "box_loss": "iou_loss",
    "obj_loss": "conf_loss",
    "cls_loss": "cls_loss",
    "l1_loss": "l1_loss",
}
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
        """Of the network's losses and its targets [B, labels, 5]."""
        boxes = (targets.sum(dim=2) > 0).sum()
        sums = [*(losses[name] for name in LOSSES.values()), losses[MATCHED], boxes]
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


def head_losses(
    head: nn.Module, features: Any, targets: torch.Tensor, images: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The losses of a head in evaluation mode, whose layers stay in that mode.

    Args:
        head: YOLOX's, as `network.head` makes it.
        features: of the backbone, a tensor [B, C, H, W] for each level.
        targets: [B, labels, 5], float32: the class, and cxcywh in input pixels.
        images: what the features are of: [B, 3, H, W].

    Returns:
        Sums by the library's names, each a scalar.
    """
    head.training = True
    try:
        losses = head(features, targets, images)
        return dict(zip((*LOSSES.values(), MATCHED), losses, strict=True))
    finally:
        head.training = False
