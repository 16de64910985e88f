"""Where YOLOX's anchor points are."""

from typing import NamedTuple

import torch


class Grid(NamedTuple):
    """The anchor points of all levels: strides and positions in strides, [1, anchors] each."""

    strides: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor
