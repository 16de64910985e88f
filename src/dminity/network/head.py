"""YOLOX's head, put together for training; its layers, losses and matching are the library's.

What differs from the library:

1. Losses come as sums over the anchors that are matched to a box, with their number, not as means:
   parts of a batch, and batches of several processes, add up to the whole.
2. Boxes are decoded and compared in float32 whatever the precision of the network: bfloat16 counts
   pixels beyond 256 in steps of 2 and more.
3. The class cost of SimOTA (https://arxiv.org/abs/2107.08430, section 2.1) takes [N, C] and [G, N]
   numbers for N anchors, C classes and G boxes, not [G, N, C]: the binary cross entropy against a
   one-hot class is a sum over all classes that all boxes share, and one correction for their own.
4. No call empties a GPU's cache of memory after each photo.
"""

from typing import NamedTuple

import torch
from torch.nn.functional import one_hot
from yolox.models import YoloxHead
from yolox.utils import bboxes_iou

# As in the library: weights of the box loss and the IoU cost, and what keeps a box from anchors
# off its center.
BOX_WEIGHT = 5.0
IOU_COST = 3.0
OFF_CENTER_COST = 1e6
# The binary cross entropy of PyTorch cuts logarithms off here.
LOWEST_LOG = -100.0


class Grid(NamedTuple):
    """The anchor points of all levels: strides and positions in strides, [1, anchors] each."""

    strides: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor


class Matches(NamedTuple):
    """Which anchors of a photo answer for a box (SimOTA).

    is_matched: [anchors], bool. box: [M], the index of the box of each matched anchor. iou: [M],
    how much that anchor's prediction overlaps it, 0-1.
    """

    is_matched: torch.Tensor
    box: torch.Tensor
    iou: torch.Tensor


class Head(YoloxHead):  # type: ignore[misc]
    """The library's head, whose losses are sums."""

    def get_output_and_grid(
        self, output: torch.Tensor, k: int, stride: int, dtype: str
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Decode the raw outputs [B, 5 + C, H, W] of level `k`, in float32."""
        output = output.float()
        decoded: tuple[torch.Tensor, torch.Tensor] = super().get_output_and_grid(
            output, k, stride, output.type()
        )
        return decoded

    def decode_outputs(self, outputs: torch.Tensor, dtype: str) -> torch.Tensor:
        """Decode outputs [B, anchors, 5 + C] to cxcywh in input pixels, in float32."""
        outputs = outputs.float()
        decoded: torch.Tensor = super().decode_outputs(outputs, outputs.type())
        return decoded

    def get_losses(
        self,
        imgs: torch.Tensor,
        x_shifts: list[torch.Tensor],
        y_shifts: list[torch.Tensor],
        expanded_strides: list[torch.Tensor],
        labels: torch.Tensor,
        outputs: torch.Tensor,
        origin_preds: list[torch.Tensor],
        dtype: torch.dtype,
    ) -> tuple[torch.Tensor, ...]:
        """Sums over the batch: total, box, objectness, class and L1 loss, and matched anchors.

        The signature is the library's: positions and strides of the anchors by level, targets
        [B, labels, 5], decoded outputs [B, anchors, 5 + C], raw boxes by level.
        """
        grid = Grid(*(torch.cat(parts, 1) for parts in (expanded_strides, x_shifts, y_shifts)))
        boxes_per_photo = (labels.sum(dim=2) > 0).sum(dim=1).tolist()
        truths = [rows[:count] for rows, count in zip(labels, boxes_per_photo, strict=True)]
        matches = [self.match(*pair, grid) for pair in zip(outputs, truths, strict=True)]
        matched = torch.stack([match.is_matched for match in matches])
        pairs = list(zip(truths, matches, strict=True))
        targets = torch.cat([truth[match.box] for truth, match in pairs])
        ious = torch.cat([match.iou for match in matches])
        classes = one_hot(targets[:, 0].long(), self.num_classes) * ious[:, None]

        box = BOX_WEIGHT * self.iou_loss(outputs[matched][:, :4], targets[:, 1:]).sum()
        objectness = self.bcewithlog_loss(outputs[..., 4], matched.to(outputs)).sum()
        of_class = self.bcewithlog_loss(outputs[matched][:, 5:], classes).sum()
        l1 = outputs.new_zeros(())
        if self.use_l1:
            wanted = self.l1_targets(targets[:, 1:], matched, grid)
            l1 = self.l1_loss(torch.cat(origin_preds, 1)[matched].float(), wanted).sum()
        return box + objectness + of_class + l1, box, objectness, of_class, l1, matched.sum()

    @torch.no_grad()
    def match(self, outputs: torch.Tensor, truth: torch.Tensor, grid: Grid) -> Matches:
        """SimOTA for one photo: outputs [anchors, 5 + C] and boxes [G, 5] (class, cxcywh)."""
        if not len(truth):
            none = outputs.new_zeros(0)
            return Matches(torch.zeros_like(outputs[:, 0], dtype=torch.bool), none.long(), none)
        candidates, centered = self.get_geometry_constraint(truth[:, 1:], *grid)
        found = outputs[candidates]
        ious = bboxes_iou(truth[:, 1:], found[:, :4], False)
        scores = torch.sqrt(found[:, 5:].sigmoid() * found[:, 4:5].sigmoid())
        cost = class_cost(scores, truth[:, 0].long())
        cost += IOU_COST * -torch.log(ious + 1e-8) + OFF_CENTER_COST * ~centered
        _, _, matched_ious, box = self.simota_matching(
            cost, ious, truth[:, 0], len(truth), candidates
        )
        # The library's function has taken the anchors that lost out of its last argument.
        return Matches(candidates, box, matched_ious)

    def l1_targets(self, cxcywh: torch.Tensor, matched: torch.Tensor, grid: Grid) -> torch.Tensor:
        """What raw outputs would give the boxes [M, 4] of the matched anchors [B, anchors]."""
        strides, x, y = (values.expand(len(matched), -1)[matched] for values in grid)
        wanted: torch.Tensor = self.get_l1_target(
            torch.zeros_like(cxcywh), cxcywh, strides, x_shifts=x, y_shifts=y
        )
        return wanted


def class_cost(scores: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Binary cross entropy [G, N] of scores [N, C] against each of G one-hot classes."""
    present = -scores.log().clamp(min=LOWEST_LOG)
    absent = -(-scores).log1p().clamp(min=LOWEST_LOG)
    return absent.sum(dim=1) + (present - absent)[:, classes].T
