"""Pseudo-labels: boxes that a detector of before finds of classes that nobody looked for.

Self-training (as in STAC, https://arxiv.org/abs/2005.04757), on the photos themselves: a first
detector learns from the boxes that there are, finds many of those that are missing, and the next
one learns from both. In the rest of a photo its unverified classes stay unknown, whatever was
found.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from dminity.core.hierarchy import kinds_among, with_ancestors
from dminity.core.progress import Progress, note
from dminity.core.stage import MODEL
from dminity.data import voc
from dminity.detection.boxes import pairwise_iou
from dminity.detection.detections import NMS_IOU, Detections
from dminity.detection.kinds import most_specific
from dminity.network.detector import BadModelFile, load_detector

# What is found with a lower score is no label.
SURE = 0.5
PHOTOS_AT_ONCE = 16
MEND = "check train.pseudo_labels: `none`, or the path of a copy of a model.pth of these classes"


def with_pseudo_labels(
    annotations: list[voc.Annotation], folder: Path, model: Path, device: torch.device
) -> list[voc.Annotation]:
    """Annotations with further boxes, of the classes that are unverified in each.

    Args:
        annotations: of photos in a VOC folder.
        folder: that folder.
        model: the file of the detector, as `train` writes it.
        device: where it is to run.

    Raises:
        BadModelFile: if it is no detector, one of other classes, or what this training replaces.
        PhotoMissing, SizeMismatch: as `voc.annotated_photo`.
    """
    if model.resolve() == MODEL.resolve():
        raise BadModelFile(f"{model} is what this training replaces; {MEND}")
    detector = load_detector(model, MEND)
    asked = [item for item in annotations if item.unverified]
    if asked and not any(set(item.unverified) & set(detector.classes) for item in asked):
        raise BadModelFile(f"{model} knows no class that nobody looked for in these photos; {MEND}")
    detector.network.to(device)
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
    """What of the things that were found in an annotated photo is sure, open and new."""
    is_open = np.array([_is_open(name, classes, item.unverified) for name in classes])
    kept = (found.scores >= SURE) & is_open[found.class_ids]
    found = Detections(found.xyxy_pixels[kept], found.scores[kept], found.class_ids[kept])
    found = most_specific(found, classes)
    named = zip(found.class_ids, found.xyxy_pixels.tolist(), strict=True)
    boxes = [voc.VocObject(classes[class_id], tuple(box)) for class_id, box in named]
    return tuple(box for box in boxes if not _is_there(box, item.objects))


def _is_open(label: str, classes: tuple[str, ...], unverified: tuple[str, ...]) -> bool:
    """Whether there may be further things of a class: of it, and of all that it is a kind of."""
    return all(name in unverified for name in with_ancestors(label) if name in classes)


def _is_there(box: voc.VocObject, objects: tuple[voc.VocObject, ...]) -> bool:
    """Whether that very thing has a box, under this name, a more general or a more specific one."""
    names = [(box.label, other.label) for other in objects]
    same = [first == second or bool(kinds_among((first, second))) for first, second in names]
    known = [other.xyxy_pixels for other, is_same in zip(objects, same, strict=True) if is_same]
    if not known:
        return False
    return bool((pairwise_iou(np.array([box.xyxy_pixels]), np.array(known)) > NMS_IOU).any())
