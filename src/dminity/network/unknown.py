"""What is unknown at anchor points, and what that leaves of the losses.

Where nobody looked for a class, an anchor that no box claims may lie on an object of it. The surer
the detector is that it does, the less such an anchor counts as background: by 1 - the largest
score, objectness x class, of a class that is unknown there. An anchor that scores nothing unknown
teaches in full, so that background goes on being learned from photos in which most is unknown.
"""

import torch

from dminity.detection.unknown import ANYTHING, MOST_CLASSES, SPACING
from dminity.network.grid import Grid


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
    logits = outputs[..., 5:]
    known = ~unknown_classes(bits, logits.shape[-1])
    likeliest = logits.masked_fill(known, -torch.inf).amax(dim=-1)
    weights = 1 - outputs[..., 4].sigmoid() * likeliest.sigmoid()
    return weights.masked_fill((bits & ANYTHING) != 0, 0.0)
