"""What is unknown at anchor points, and what that leaves of the losses.

Where nobody looked for a class, an anchor that no box claims may lie on an object of it. That no
object of a known class is there, is all that is known, and the objectness of such an anchor learns
by the likelihood of that. With objectness p, and U the share of the anchor's class scores that
unknown classes have, an object of a known class has the probability p (1 - U). The gradient of
-log(1 - p (1 - U)) is that of the background's loss, -log(1 - p), times

    (1 - U) / (1 + U p / (1 - p))

An anchor that looks like nothing unknown (U near 0) teaches in full; one that looks like something
unknown teaches the less, the surer the detector is that something is there.
"""

import torch

from dminity.detection.unknown import ANYTHING, MOST_CLASSES, SPACING
from dminity.network.grid import Grid

# What keeps anchors without a score from 0 / 0, and odds from infinity.
LEAST_SCORES = 1e-30
LARGEST_LOGIT = 80.0


def at_anchors(unknown: torch.Tensor, grid: Grid) -> torch.Tensor:
    """What maps [B, H / 4, W / 4] say of the anchors' centers: [B, anchors]."""
    column = ((grid.x[0] + 0.5) * grid.strides[0] / SPACING).long()
    row = ((grid.y[0] + 0.5) * grid.strides[0] / SPACING).long()
    return unknown[:, row, column]


def unknown_classes(bits: torch.Tensor, num_classes: int) -> torch.Tensor:
    """Which classes are unknown: [..., C], bool, of bits [...]."""
    numbers = torch.arange(num_classes, device=bits.device).clamp(max=MOST_CLASSES)
    return (bits[..., None] & (2 << numbers)) != 0


@torch.no_grad()
def background_weights(outputs: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    """How much anchors with decoded outputs [B, anchors, 5 + C] count as background: 0-1.

    `bits` [B, anchors] is what is unknown at each. Without any it counts 1, in a group 0.
    """
    scores = outputs[..., 5:].sigmoid()
    unknown = unknown_classes(bits, scores.shape[-1])
    share = (scores * unknown).sum(dim=-1) / scores.sum(dim=-1).clamp(min=LEAST_SCORES)
    odds = outputs[..., 4].clamp(max=LARGEST_LOGIT).exp()
    weights = (1 - share) / (1 + share * odds)
    return weights.masked_fill((bits & ANYTHING) != 0, 0.0)
