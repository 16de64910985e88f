"""Photos, boxes and predictions as a FiftyOne dataset."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dminity.data import voc
from dminity.detection.boxes import Boxes, xyxy_to_xywh
from dminity.detection.detections import SHOWN_SCORE, Detections
from dminity.network.detector import Detector

if TYPE_CHECKING:
    import fiftyone

DATASET = "dminity"


def build_dataset(folder: Path, split: str, detector: Detector | None) -> "fiftyone.Dataset":
    """A FiftyOne dataset of a split of a VOC folder, with the detector's findings if one is given.

    Each sample has `ground_truth` and `predictions`; a box carries its VOC flags. It is kept in the
    database of `run_database`.
    """
    annotations = voc.read_split(folder, split, voc.read_classes(folder))
    said_by = sys.excepthook
    # It takes seconds, and reads where its database is.
    import fiftyone as fo

    # One of its libraries would make a page of text of every error.
    sys.excepthook = said_by
    dataset = fo.Dataset(DATASET, overwrite=True)
    samples = []
    for annotation in annotations:
        path = voc.photo_path(folder, annotation.image_id).resolve()
        sample = fo.Sample(filepath=str(path), tags=[split])
        sample["ground_truth"] = fo.Detections(detections=_truth_boxes(annotation))
        if detector:
            (found,) = detector.find([voc.annotated_photo(folder, annotation)])
            boxes = _predicted_boxes(detector.classes, annotation, found)
            sample["predictions"] = fo.Detections(detections=boxes)
        samples.append(sample)
    dataset.add_samples(samples)
    return dataset


def _truth_boxes(annotation: voc.Annotation) -> "list[fiftyone.Detection]":
    """The boxes of an annotation for FiftyOne."""
    import fiftyone as fo

    return [
        fo.Detection(
            label=item.label,
            bounding_box=box,
            truncated=item.truncated,
            occluded=item.occluded,
            difficult=item.difficult,
        )
        for item, box in zip(
            annotation.objects, _xywh_normalized(annotation.xyxy_pixels(), annotation), strict=True
        )
    ]


def _predicted_boxes(
    classes: tuple[str, ...], annotation: voc.Annotation, found: Detections
) -> "list[fiftyone.Detection]":
    """Detections for FiftyOne."""
    import fiftyone as fo

    boxes = _xywh_normalized(found.xyxy_pixels, annotation)
    return [
        fo.Detection(label=classes[index], bounding_box=box, confidence=float(confidence))
        for index, confidence, box in zip(found.class_ids, found.scores, boxes, strict=True)
        if confidence >= SHOWN_SCORE
    ]


def _xywh_normalized(xyxy_pixels: Boxes, annotation: voc.Annotation) -> list[list[float]]:
    """Boxes [N, 4] as FiftyOne wants them."""
    size = (annotation.width, annotation.height) * 2
    boxes: list[list[float]] = (xyxy_to_xywh(xyxy_pixels) / size).tolist()
    return boxes
