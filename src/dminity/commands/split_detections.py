"""What the detector finds in the photos of a split: as `evaluate` kept it, or found anew.

To find takes a quarter of a second a photo with a large network, and PyTorch.
"""

from dataclasses import dataclass

from dminity.core.progress import Progress, note
from dminity.core.stage import METRICS, MODEL, VOC
from dminity.data import tables, voc
from dminity.detection.detections import SHOWN_SCORE, Detections
from dminity.evaluation import detection_table

TABLE = METRICS / "detections.parquet"


@dataclass(frozen=True)
class Found:
    """What was found in photos, from SHOWN_SCORE on.

    classes: the names that the detector knows. detections: of each photo.
    """

    classes: tuple[str, ...]
    detections: list[Detections]


def find(split: str, annotations: list[voc.Annotation]) -> Found | None:
    """What is found in the photos of a split; None if there is neither a model nor its table.

    Raises:
        BadModelFile: if the model cannot be read.
        PhotoMissing: if a photo cannot be read.
    """
    if split == "test" and _table_is_of_what_lies_here():
        note(f"predictions are those of {TABLE}")
        return _kept(annotations)
    return _found_anew(annotations) if MODEL.exists() else None


def _table_is_of_what_lies_here() -> bool:
    """Whether DVC knows the table as what `evaluate` made of this model and these photos.

    Who has pulled the table alone has no model that could be another.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    if not TABLE.exists():
        return False
    try:
        with Repo() as repo:
            stage = repo.stage.load_one(name="evaluate")
            files = {str(file): file for file in (*stage.deps, *stage.outs)}
            expected = [
                str(path) for path in (TABLE, VOC, MODEL) if path != MODEL or MODEL.exists()
            ]
            return all(name in files and not files[name].workspace_status() for name in expected)
    except DvcException:
        # A folder of photos without the pipeline that made them.
        return False


def _kept(annotations: list[voc.Annotation]) -> Found:
    """What `evaluate` kept of its photos."""
    table = tables.read(TABLE, detection_table.SCHEMA)
    classes = tuple(sorted(set(table["label"])))
    image_ids = [annotation.image_id for annotation in annotations]
    sizes = [(annotation.width, annotation.height) for annotation in annotations]
    found = detection_table.from_table(table, image_ids, sizes, classes)
    return Found(classes, [_shown(each) for each in found])


def _found_anew(annotations: list[voc.Annotation]) -> Found:
    """What the detector finds now."""
    from dminity.network.detector import load_detector

    detector = load_detector(MODEL)
    found = []
    for annotation in Progress("view", annotations, len(annotations)):
        found += detector.find([voc.annotated_photo(VOC, annotation)])
    return Found(detector.classes, [_shown(each) for each in found])


def _shown(found: Detections) -> Detections:
    """The detections that people are shown."""
    chosen = found.scores >= SHOWN_SCORE
    return Detections(found.xyxy_pixels[chosen], found.scores[chosen], found.class_ids[chosen])
