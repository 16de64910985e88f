"""Network output to detections in pixels of the photo."""

from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset
from yolox.utils import postprocess

from dminity.data import voc
from dminity.detection.detections import Detections
from dminity.detection.letterbox import letterbox, unletterbox


def to_detections(
    outputs: torch.Tensor,
    sizes: list[tuple[int, int]],
    input_size: tuple[int, int],
    min_score: float,
    nms_iou: float,
) -> list[Detections]:
    """Non-maximum suppression per class, then back to each photo's pixels.

    Args:
        outputs: [B, anchors, 5 + classes], decoded: cxcywh in input pixels, objectness, classes.
        sizes: height and width of each photo.
        input_size: height and width of the network input.
        min_score: detections of a lower score are dropped.
        nms_iou: of two boxes of a class that overlap by more than this, the better one stays.
    """
    # YOLOX's function writes into its argument.
    found = postprocess(outputs.detach().clone(), outputs.shape[2] - 5, min_score, nms_iou)
    return [
        one_photo(rows, height, width, input_size)
        for rows, (height, width) in zip(found, sizes, strict=True)
    ]


def one_photo(
    rows: torch.Tensor | None, height: int, width: int, input_size: tuple[int, int]
) -> Detections:
    """Rows of [xyxy, objectness, class score, class], or None, as detections."""
    table = np.zeros((0, 7)) if rows is None else rows.cpu().numpy().astype(np.float64)
    scores = table[:, 4] * table[:, 5]
    order = np.argsort(-scores, kind="stable")
    return Detections(
        xyxy_pixels=unletterbox(table[order, :4], height, width, input_size),
        scores=scores[order],
        classes=table[order, 6].astype(np.int64),
    )


class PlainPhotos(Dataset[tuple[torch.Tensor, int]]):
    """Letterboxed photos [H, W, 3], uint8, BGR, each with its index among the annotations."""

    def __init__(
        self, folder: Path, annotations: list[voc.Annotation], input_size: tuple[int, int]
    ) -> None:
        self.folder = folder
        self.annotations = annotations
        self.input_size = input_size

    def __len__(self) -> int:
        return len(self.annotations)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        photo = voc.read_photo(self.folder, self.annotations[index].image_id)
        return torch.from_numpy(letterbox(photo, self.input_size)), index
