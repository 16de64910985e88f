"""Photos, boxes and predictions as a FiftyOne dataset."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dminity.commands.split_detections import Found
from dminity.core.progress import Progress
from dminity.data import voc
from dminity.detection.boxes import Boxes, xyxy_to_xywh
from dminity.detection.detections import Detections
from dminity.evaluation.verdicts import NO_CLASS, Verdicts, verdicts

if TYPE_CHECKING:
    import fiftyone

DATASET = "dminity"
# The verdict of a box that counts neither as found nor as missed, and of a detection on it.
IGNORED = "ignored"


def build_dataset(
    folder: Path, split: str, annotations: list[voc.Annotation], found: Found | None
) -> "fiftyone.Dataset":
    """A FiftyOne dataset of a split of a VOC folder, with what was found if something is given.

    Each sample has `ground_truth` and `predictions`; a box carries its VOC flags, one that is
    ignored the verdict `eval` "ignored", a detection of the wrong class the `actual` one. It is
    kept in the database of `run_database`.
    """
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
        samples.append(sample)
    if found:
        for sample, boxes in zip(samples, _predictions(annotations, found), strict=True):
            sample["predictions"] = fo.Detections(detections=boxes)
    with counting("view, into the database", len(samples)) as count:
        # Dynamic: the App filters by flags too.
        dataset.add_samples(samples, dynamic=True, progress=count)
    return dataset


@contextmanager
def counting(description: str, photos: int) -> Iterator[Callable[[Any], None]]:
    """What FiftyOne calls with its own bar, to move one of ours."""
    with Progress[None](description, total=photos) as progress:
        yield lambda bar: progress.update(bar.iteration - progress.done)


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
            eval=IGNORED if item.difficult else None,
        )
        for item, box in zip(
            annotation.objects, _xywh_normalized(annotation.xyxy_pixels(), annotation), strict=True
        )
    ]


def _predictions(
    annotations: list[voc.Annotation], found: Found
) -> "list[list[fiftyone.Detection]]":
    """The detections in each photo for FiftyOne."""
    labels = {item.label for annotation in annotations for item in annotation.objects}
    # A model may know other classes than those of the photos.
    classes = (*found.classes, *sorted(labels - set(found.classes)))
    truths = [voc.ground_truth(annotation, classes) for annotation in annotations]
    judged = verdicts(truths, found.detections, classes)
    return [
        _predicted_boxes(classes, *each)
        for each in zip(annotations, found.detections, judged, strict=True)
    ]


def _predicted_boxes(
    classes: tuple[str, ...], annotation: voc.Annotation, found: Detections, judged: Verdicts
) -> "list[fiftyone.Detection]":
    """The detections in a photo for FiftyOne."""
    import fiftyone as fo

    counts = judged.right | judged.wrong
    return [
        fo.Detection(
            label=classes[found.class_ids[number]],
            bounding_box=box,
            confidence=float(found.scores[number]),
            eval=None if counts[number] else IGNORED,
            actual=None if judged.actual[number] == NO_CLASS else classes[judged.actual[number]],
        )
        for number, box in enumerate(_xywh_normalized(found.xyxy_pixels, annotation))
    ]


def _xywh_normalized(xyxy_pixels: Boxes, annotation: voc.Annotation) -> list[list[float]]:
    """Boxes [N, 4] as FiftyOne wants them."""
    size = (annotation.width, annotation.height) * 2
    boxes: list[list[float]] = (xyxy_to_xywh(xyxy_pixels) / size).tolist()
    return boxes
