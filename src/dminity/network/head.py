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
5. What is unknown teaches nothing (`network.unknown`): an anchor without a box counts less as
   background. Where all is known, the losses are the library's. The class of a box is known: a bed
   is no towel, whether or not somebody looked for towels.
6. A box of a class is one of all that the class is a kind of (`Head.kinds`). Whether a couch is a
   sofa bed is known where somebody looked for sofa beds, and nowhere else.
"""

from typing import NamedTuple

import torch
from torch.nn.functional import one_hot
from yolox.models import YoloxHead
from yolox.utils import bboxes_iou

from dminity.network.grid import Grid
from dminity.network.unknown import at_anchors, background_weights, unknown_classes

# As in the library: weights of the box loss and the IoU cost, and what keeps a box from anchors
# off its center.
BOX_WEIGHT = 5.0
IOU_COST = 3.0
OFF_CENTER_COST = 1e6
# The binary cross entropy of PyTorch cuts logarithms off here.
LOWEST_LOG = -100.0


class Truth(NamedTuple):
    """What is said of a batch.

    targets: [B, labels, 5], float32: the class, and cxcywh in input pixels; rows of zeros are
    padding. unknown: the maps [B, H / 4, W / 4], int64, of `detection.unknown`; None or [B, 0, 0]
    where all is known.
    """

    targets: torch.Tensor
    unknown: torch.Tensor | None = None


class Matches(NamedTuple):
    """Which anchors of a photo answer for a box (SimOTA).

    is_matched: [anchors], bool. box: [M], the index of the box of each matched anchor. iou: [M],
    how much that anchor's prediction overlaps it, 0-1.
    """

    is_matched: torch.Tensor
    box: torch.Tensor
    iou: torch.Tensor


class Head(YoloxHead):  # type: ignore[misc]
    """The library's head, whose losses are sums.

    Attributes:
        kinds: pairs of classes of which the first is a kind of the second.
    """

    kinds: tuple[tuple[int, int], ...] = ()

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
        labels: Truth,
        outputs: torch.Tensor,
        origin_preds: list[torch.Tensor],
        dtype: torch.dtype,
    ) -> tuple[torch.Tensor, ...]:
        """Sums over the batch: total, box, objectness, class and L1 loss, and matched anchors.

        The signature is the library's: positions and strides of the anchors by level, the truth as
        `forward` is given it, decoded outputs [B, anchors, 5 + C], raw boxes by level.
        """
        grid = Grid(*(torch.cat(parts, 1) for parts in (expanded_strides, x_shifts, y_shifts)))
        unknown = None
        if labels.unknown is not None and labels.unknown.numel():
            unknown = at_anchors(labels.unknown, grid)
        boxes_per_photo = (labels.targets.sum(dim=2) > 0).sum(dim=1).tolist()
        truths = [rows[:count] for rows, count in zip(labels.targets, boxes_per_photo, strict=True)]
        matches = [
            self.match(found, truth, grid, None if unknown is None else unknown[photo])
            for photo, (found, truth) in enumerate(zip(outputs, truths, strict=True))
        ]
        matched = torch.stack([match.is_matched for match in matches])
        pairs = list(zip(truths, matches, strict=True))
        targets = torch.cat([truth[match.box] for truth, match in pairs])
        ious = torch.cat([match.iou for match in matches])

        box = BOX_WEIGHT * self.iou_loss(outputs[matched][:, :4], targets[:, 1:]).sum()
        objectness = self.objectness_loss(outputs, matched, unknown)
        of_class = self.class_loss(
            outputs[matched][:, 5:],
            targets[:, 0].long(),
            ious,
            None if unknown is None else unknown[matched],
        )
        l1 = outputs.new_zeros(())
        if self.use_l1:
            wanted = self.l1_targets(targets[:, 1:], matched, grid)
            l1 = self.l1_loss(torch.cat(origin_preds, 1)[matched].float(), wanted).sum()
        return box + objectness + of_class + l1, box, objectness, of_class, l1, matched.sum()

    def objectness_loss(
        self, outputs: torch.Tensor, matched: torch.Tensor, unknown: torch.Tensor | None
    ) -> torch.Tensor:
        """The sum over outputs [B, anchors, 5 + C]; those of matched anchors are to be 1.

        `matched` [B, anchors] says which these are, and `unknown` what is unknown at each, in bits.
        """
        losses: torch.Tensor = self.bcewithlog_loss(outputs[..., 4], matched.to(outputs))
        if unknown is not None:
            losses = losses * background_weights(outputs, unknown).masked_fill(matched, 1.0)
        return losses.sum()

    def class_loss(
        self,
        logits: torch.Tensor,
        classes: torch.Tensor,
        ious: torch.Tensor,
        unknown: torch.Tensor | None,
    ) -> torch.Tensor:
        """The sum of matched anchors' logits [M, C], whose boxes are of `classes` [M].

        `unknown` [M] are the bits of what is unknown at each.
        """
        wanted = one_hot(classes, self.num_classes)
        for kind, parent in self.kinds:
            wanted[classes == kind, parent] = 1
        losses: torch.Tensor = self.bcewithlog_loss(logits, wanted * ious[:, None])
        if unknown is not None:
            for kind, parent in self.kinds:
                may_be = (classes == parent) & unknown_classes(unknown, self.num_classes)[:, kind]
                losses[:, kind] = losses[:, kind].masked_fill(may_be, 0.0)
        return losses.sum()

    @torch.no_grad()
    def match(
        self,
        outputs: torch.Tensor,
        truth: torch.Tensor,
        grid: Grid,
        unknown: torch.Tensor | None,
    ) -> Matches:
        """SimOTA for one photo: outputs [anchors, 5 + C] and boxes [G, 5] (class, cxcywh).

        `unknown` [anchors] are the bits of what is unknown at each.
        """
        if not len(truth):
            none = outputs.new_zeros(0)
            return Matches(torch.zeros_like(outputs[:, 0], dtype=torch.bool), none.long(), none)
        candidates, centered = self.get_geometry_constraint(truth[:, 1:], *grid)
        found = outputs[candidates]
        ious = bboxes_iou(truth[:, 1:], found[:, :4], False)
        scores = torch.sqrt(found[:, 5:].sigmoid() * found[:, 4:5].sigmoid())
        at_candidates = None
        if unknown is not None:
            at_candidates = unknown_classes(unknown[candidates], self.num_classes)
        cost = class_cost(scores, truth[:, 0].long(), self.kinds, at_candidates)
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


def class_cost(
    scores: torch.Tensor,
    classes: torch.Tensor,
    kinds: tuple[tuple[int, int], ...] = (),
    unknown: torch.Tensor | None = None,
) -> torch.Tensor:
    """Binary cross entropy [G, N] of scores [N, C] against each of G boxes' classes.

    Args:
        scores: 0-1.
        classes: [G]. A box is also of all that its class is a kind of.
        kinds: pairs of classes of which the first is a kind of the second.
        unknown: [N, C], bool: what a box of a class that it is a kind of may be.
    """
    present = -scores.log().clamp(min=LOWEST_LOG)
    absent = -(-scores).log1p().clamp(min=LOWEST_LOG)
    of_one = present - absent
    of_box = of_one.clone() if kinds else of_one
    for kind, parent in kinds:
        of_box[:, kind] += of_one[:, parent]
        if unknown is not None:
            of_box[:, parent] -= absent[:, kind].where(unknown[:, kind], 0.0)
    return absent.sum(dim=1) + of_box[:, classes].T
