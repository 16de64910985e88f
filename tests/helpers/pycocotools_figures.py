"""COCO's figures by pycocotools, the reference."""

import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from dminity.detection.boxes import xyxy_to_xywh
from dminity.detection.detections import Detections, GroundTruth

NAMES = (
    "AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR1", "AR10", "AR100",
    "AR_small", "AR_medium", "AR_large",
)  # fmt: skip
NO_BOX = -1


def datasets(
    truths: list[GroundTruth],
    detections: list[Detections],
    classes: int,
    kind: Callable[..., Any] = COCO,
) -> tuple[Any, Any]:
    """What is there and what was found, as objects of pycocotools, or of what is like it."""
    annotations = [
        {
            "image_id": number,
            "category_id": int(class_id),
            "bbox": box.tolist(),
            "iscrowd": int(crowd),
        }
        for number, truth in enumerate(truths)
        for box, class_id, crowd in zip(
            xyxy_to_xywh(truth.xyxy_pixels), truth.class_ids, truth.ignored, strict=True
        )
    ]
    for position, annotation in enumerate(annotations):
        # One with the id 0 would count as found by nobody.
        annotation |= {"id": position + 1, "area": annotation["bbox"][2] * annotation["bbox"][3]}
    dataset = {
        "info": {},
        "images": [
            {"id": number, "width": truth.width, "height": truth.height}
            for number, truth in enumerate(truths)
        ],
        "annotations": annotations,
        "categories": [{"id": number} for number in range(classes)],
    }
    there = COCO() if kind is COCO else kind(dataset)
    there.dataset = dataset
    there.createIndex()
    rows = [
        np.column_stack(
            (
                np.full(len(found.scores), number),
                xyxy_to_xywh(found.xyxy_pixels),
                found.scores,
                found.class_ids,
            )
        )
        for number, found in enumerate(detections)
    ]
    return there, there.loadRes(np.concatenate([np.empty((0, 7)), *rows]))


def figures(
    truths: list[GroundTruth], detections: list[Detections], classes: int
) -> tuple[dict[str, float], Any]:
    """The twelve figures by name, NaN where pycocotools says -1; AP of each class: [classes]."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(*datasets(truths, detections, classes), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    known = np.where(evaluation.stats == NO_BOX, np.nan, evaluation.stats)
    per_class = evaluation.eval["precision"][:, :, :, 0, -1].mean(axis=(0, 1))
    return dict(zip(NAMES, known.tolist(), strict=True)), np.where(
        per_class == NO_BOX, np.nan, per_class
    )
