"""Pseudo-labels: boxes that a detector of before finds of classes that nobody looked for.

Self-training (as in STAC, https://arxiv.org/abs/2005.04757), on the photos themselves: a first
detector learns from the boxes that there are, finds many of those that are missing, and the next
one learns from both. Where it finds nothing, a class stays as unknown as it was.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from dminity.core.hierarchy import kinds_among
from dminity.core.progress import Progress, note
from dminity.data import voc
from dminity.detection.boxes import pairwise_iou
from dminity.detection.detections import NMS_IOU, Detections
from dminity.detection.kinds import most_specific
from dminity.network.detector import BadModelFile, load_detector

# What is found with a lower score is no label.
SURE = 0.5
PHOTOS_AT_ONCE = 16


def with_pseudo_labels(
    annotations: list[voc.Annotation], folder: Path, model: Path
) -> list[voc.Annotation]:
    """Annotations with further boxes, of the classes that are unverified in each.

    Args:
        annotations: of photos in a VOC folder.
        folder: that folder.
        model: the file of the detector, `model.pth`.

    Raises:
        BadModelFile: if it is no detector, or one of other classes.
        PhotoMissing, SizeMismatch: as `voc.annotated_photo`.
    """
    detector = load_detector(model)
    asked = [item for item in annotations if item.unverified]
    if asked and not any(set(item.unverified) & set(detector.classes) for item in asked):
        raise BadModelFile(
            f"{model} knows no class that nobody looked for in these photos; set "
            "train.pseudo_labels to a detector of these classes, or to none"
        )
    detector.network.to("cuda" if torch.cuda.is_available() else "cpu")
    labeled = {}
    with Progress[None]("pseudo-labels", total=len(asked)) as progress:
        for start in range(0, len(asked), PHOTOS_AT_ONCE):
            batch = asked[start : start + PHOTOS_AT_ONCE]
            found = detector.find([voc.annotated_photo(folder, item) for item in batch])
            for item, detections in zip(batch, found, strict=True):
                boxes = _boxes(detections, detector.classes, item)
                labeled[item.image_id] = replace(item, objects=item.objects + boxes)
            progress.update(len(batch))
    both = [labeled.get(item.image_id, item) for item in annotations]
    added = sum(len(item.objects) for item in both) - sum(len(item.objects) for item in annotations)
    note(f"pseudo-labels: {added} boxes in {len(asked)} of {len(annotations)} training photos")
    return both


def _boxes(
    found: Detections, classes: tuple[str, ...], item: voc.Annotation
) -> tuple[voc.VocObject, ...]:
    """What is sure, new and wanted of what was found in an annotated photo."""
    sure = found.scores >= SURE
    found = Detections(found.xyxy_pixels[sure], found.scores[sure], found.class_ids[sure])
    found = most_specific(found, classes)
    named = zip(found.class_ids, found.xyxy_pixels.tolist(), strict=True)
    boxes = [voc.VocObject(classes[class_id], tuple(box)) for class_id, box in named]
    return tuple(
        box for box in boxes if box.label in item.unverified and not _is_there(box, item.objects)
    )


def _is_there(box: voc.VocObject, objects: tuple[voc.VocObject, ...]) -> bool:
    """Whether that very thing has a box, under a more general or a more specific name."""
    kin = [other.xyxy_pixels for other in objects if kinds_among((box.label, other.label))]
    if not kin:
        return False
    return bool((pairwise_iou(np.array([box.xyxy_pixels]), np.array(kin)) > NMS_IOU).any())
