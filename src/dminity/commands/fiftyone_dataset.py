"""Photos, boxes and predictions as a FiftyOne dataset.

FiftyOne keeps its database in the project's `.fiftyone` folder; nothing is reported to anyone.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dminity.data import voc
from dminity.detection.boxes import Boxes, xyxy_to_xywh
from dminity.detection.detections import SHOWN_SCORE, Detections
from dminity.network.detector import Detector

if TYPE_CHECKING:
    import fiftyone

DATASET = "dminity"
SETTINGS = {
    "FIFTYONE_DO_NOT_TRACK": "true",
    # The MongoDB that comes as a package is the oldest that FiftyOne supports, and it says so.
    "FIFTYONE_DATABASE_VALIDATION": "false",
    "FIFTYONE_DATABASE_DIR": ".fiftyone/database",
    "FIFTYONE_DATASET_ZOO_DIR": ".fiftyone/zoo",
    "FIFTYONE_MODEL_ZOO_DIR": ".fiftyone/models",
    "FIFTYONE_DEFAULT_APP_ADDRESS": "127.0.0.1",
}


def build_dataset(folder: Path, split: str, detector: Detector | None) -> "fiftyone.Dataset":
    """A FiftyOne dataset of a split of a VOC folder, with the detector's findings if one is given.

    Each sample has `ground_truth` and `predictions`; a box carries its VOC flags.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    # Takes seconds, and starts a database at first use.
    import fiftyone as fo

    dataset = fo.Dataset(DATASET, overwrite=True)
    samples = []
    for annotation in voc.read_split(folder, split, voc.read_classes(folder)):
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
