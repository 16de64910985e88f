"""Average precision by COCO's protocol (https://cocodataset.org/#detection-eval).

AP is the mean over IoU 0.50 to 0.95, 101 recall levels and the classes that have a box; at most 100
detections per photo count. Ignored boxes are COCO's crowds. A detection that lies in one is neither
right nor wrong.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from faster_coco_eval import COCO, COCOeval_faster
from numpy.typing import NDArray

from dminity.detection.boxes import xyxy_to_xywh
from dminity.detection.detections import Detections, GroundTruth

IOU_50, IOU_75 = 0, 5
ALL_AREAS, MOST_DETECTIONS = 0, -1
NO_BOX = -1.0


@dataclass(frozen=True)
class Scores:
    """The figures of one evaluation.

    AP, AP50 and AP75 are 0-1, as are precision and recall: those of the point of the mean
    precision-recall curve at IoU 0.50 where their harmonic mean (F1) is best. curve: `recall`,
    `precision`. per_class: `class`, `photos`, `boxes`, `AP`, `AP50`, `precision`, `recall`; empty
    where a class has no box.
    """

    ap: float
    ap50: float
    ap75: float
    precision: float
    recall: float
    curve: pd.DataFrame
    per_class: pd.DataFrame


def score(
    truths: list[GroundTruth], detections: list[Detections], classes: tuple[str, ...]
) -> Scores:
    """Evaluate the detections of each photo against what is in it."""
    # [IoU, recall, class], NO_BOX where a class has none
    precision, recall_levels = _coco_precision(truths, detections, classes)
    mean_curve = _mean_over_classes(precision[IOU_50])
    best = _best_f1(mean_curve, recall_levels)
    return Scores(
        ap=_mean(precision),
        ap50=_mean(precision[IOU_50]),
        ap75=_mean(precision[IOU_75]),
        precision=float(mean_curve[best]),
        recall=float(recall_levels[best]) if mean_curve[best] > 0 else 0.0,
        curve=pd.DataFrame({"recall": recall_levels, "precision": mean_curve}),
        per_class=_class_table(truths, precision, recall_levels, classes),
    )


def _coco_precision(
    truths: list[GroundTruth], detections: list[Detections], classes: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision [10 IoUs, 101 recalls, classes] over all areas, and the recall levels [101]."""
    annotations: list[dict[str, Any]] = []
    rows = []
    for image_id, (truth, found) in enumerate(zip(truths, detections, strict=True)):
        for xywh, class_index, ignored in zip(
            xyxy_to_xywh(truth.xyxy_pixels), truth.class_ids, truth.ignored, strict=True
        ):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(class_index),
                    "bbox": xywh.tolist(),
                    "area": float(xywh[2] * xywh[3]),
                    "iscrowd": int(ignored),
                }
            )
        ids = np.full(len(found.scores), float(image_id))
        columns = (ids, xyxy_to_xywh(found.xyxy_pixels), found.scores, found.class_ids)
        rows.append(np.column_stack(columns))
    table = np.concatenate(rows)
    if not len(table):
        # The evaluator takes no empty list: a detection of no size and no score finds nothing.
        table = np.zeros((1, 7))
    truth_set = COCO(
        {
            "images": [
                {"id": image_id, "height": truth.height, "width": truth.width}
                for image_id, truth in enumerate(truths)
            ],
            "annotations": annotations,
            "categories": [{"id": index, "name": name} for index, name in enumerate(classes)],
        }
    )
    evaluation = COCOeval_faster(truth_set, truth_set.loadRes(table), iouType="bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    precision = np.asarray(evaluation.eval["precision"])[..., ALL_AREAS, MOST_DETECTIONS]
    return precision, np.asarray(evaluation.params.recThrs)


def _mean(precision: NDArray[np.float64]) -> float:
    """The mean over what has a box; 0 if nothing has."""
    known = precision[precision > NO_BOX]
    return float(known.mean()) if known.size else 0.0


def _mean_over_classes(precision: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean curve [recalls] of [recalls, classes], over the classes that have a box."""
    known = precision[:, (precision > NO_BOX).all(axis=0)]
    return known.mean(axis=1) if known.shape[1] else np.zeros(len(precision))


def _best_f1(precision: NDArray[np.float64], recall: NDArray[np.float64]) -> int:
    """The position on a curve where the harmonic mean of precision and recall is largest."""
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    return int(f1.argmax())


def _class_table(
    truths: list[GroundTruth],
    precision: NDArray[np.float64],
    recall_levels: NDArray[np.float64],
    classes: tuple[str, ...],
) -> pd.DataFrame:
    """One row per class, as in `Scores.per_class`."""
    rows = []
    for index, name in enumerate(classes):
        boxes = [int(((truth.class_ids == index) & ~truth.ignored).sum()) for truth in truths]
        row: dict[str, Any] = {
            "class": name,
            "photos": sum(count > 0 for count in boxes),
            "boxes": sum(boxes),
        }
        if sum(boxes):
            curve = precision[IOU_50, :, index]
            best = _best_f1(curve, recall_levels)
            row |= {
                "AP": _mean(precision[:, :, index]),
                "AP50": _mean(curve),
                "precision": curve[best],
                "recall": recall_levels[best] if curve[best] > 0 else 0.0,
            }
        rows.append(row)
    columns = ["class", "photos", "boxes", "AP", "AP50", "precision", "recall"]
    return pd.DataFrame(rows, columns=columns)
