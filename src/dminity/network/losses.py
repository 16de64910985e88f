"""The losses of the head, as sums that add up over the parts of a batch and over processes."""

from typing import Any

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
# The losses, the matched anchors, and the boxes.
SUMS = len(LOSSES) + 2


def loss_sums(losses: dict[str, torch.Tensor], targets: torch.Tensor) -> torch.Tensor:
    """[SUMS] of the network's losses and its targets [B, labels, 5]."""
    boxes = (targets.sum(dim=2) > 0).sum()
    sums = [*(losses[name] for name in LOSSES.values()), losses[MATCHED], boxes]
    return torch.stack([value.detach().float() for value in sums])


def means(sums: torch.Tensor) -> tuple[dict[str, float], float]:
    """Losses and `num_fg`, matched anchors per box, by name; and what the losses are means over.

    As in YOLOX, losses are divided by the matched anchors, or by 1 if there are none.
    """
    *losses, matched, boxes = sums.tolist()
    divisor = max(1.0, matched)
    figures = {name: value / divisor for name, value in zip(LOSSES, losses, strict=True)}
    return figures | {MATCHED: matched / max(1.0, boxes)}, divisor


def head_losses(
    head: nn.Module, features: Any, targets: torch.Tensor, images: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The losses of a head in evaluation mode, whose layers stay in that mode."""
    head.training = True
    try:
        losses = head(features, targets, images)
        return dict(zip((*LOSSES.values(), MATCHED), losses, strict=True))
    finally:
        head.training = False
