"""Network output to detections in pixels of the photo."""

import numpy as np
import torch
from torchvision.ops import batched_nms

from dminity.detection.detections import MIN_SCORE, NMS_IOU, Detections
from dminity.detection.kinds import said_together
from dminity.detection.letterbox import unletterbox


def to_detections(
    outputs: torch.Tensor,
    classes: tuple[str, ...],
    sizes: list[tuple[int, int]],
    input_size: tuple[int, int],
) -> list[Detections]:
    """What each anchor says (`detection/kinds.py`), non-maximum suppression, the photo's pixels.

    For classes of which none is a kind of another this is YOLOX's `postprocess`, bit for bit.

    Args:
        outputs: [B, anchors, 5 + classes], float32, decoded: cxcywh in input pixels, objectness,
            classes.
        classes: their names.
        sizes: height and width in pixels of each photo.
        input_size: height and width in pixels of the network input.
    """
    together = torch.tensor(said_together(classes), device=outputs.device)
    return [
        _one_photo(anchors.detach(), together, size, input_size)
        for anchors, size in zip(outputs, sizes, strict=True)
    ]


def _one_photo(
    anchors: torch.Tensor,
    together: torch.Tensor,
    size: tuple[int, int],
    input_size: tuple[int, int],
) -> Detections:
    """What is found in one photo; `anchors`: [anchors, 5 + classes]."""
    # Most anchors see nothing: no score of theirs is above their objectness.
    seen = anchors[anchors[:, 4] >= MIN_SCORE]
    rows, class_ids = together[seen[:, 5:].argmax(dim=1)].nonzero(as_tuple=True)
    objectness, class_scores = seen[rows, 4], seen[rows, 5 + class_ids]
    scores = objectness * class_scores
    center, half = seen[:, :2], seen[:, 2:4] / 2
    xyxy = torch.cat((center - half, center + half), dim=1)[rows]
    enough = (scores >= MIN_SCORE).nonzero()[:, 0]
    kept = enough[batched_nms(xyxy[enough], scores[enough], class_ids[enough], NMS_IOU)]
    precise = _array(objectness[kept]) * _array(class_scores[kept])
    order = np.argsort(-precise, kind="stable")
    return Detections(
        xyxy_pixels=unletterbox(_array(xyxy[kept])[order], *size, input_size),
        scores=precise[order],
        class_ids=class_ids[kept].cpu().numpy()[order],
    )


def _array(numbers: torch.Tensor) -> np.typing.NDArray[np.float64]:
    """The same numbers in NumPy."""
    return numbers.cpu().numpy().astype(np.float64)
