"""report: where the detector fails, in tables, pictures and a page; and its model card."""

from pathlib import Path

import numpy as np
import pandas as pd

from dminity.core.files import replacing_file, replacing_folder
from dminity.core.progress import Progress
from dminity.core.stage import METRICS, MODEL, ONNX, ONNX_INT8, ONNX_NMS, VOC, run
from dminity.data import tables, voc
from dminity.evaluation import detection_table
from dminity.evaluation.errors import errors
from dminity.evaluation.failures import Failures, failures
from dminity.params import load_params
from dminity.report.detector_page import Pictures, write_detector_page
from dminity.report.model_card import Recipe, model_card
from dminity.report.page import Photo
from dminity.report.pictures import (
    Split,
    one_of_each_class,
    photos_of_classes,
    worst_false_alarms,
    worst_misses,
)
from dminity.report.recorded import read_recorded
from dminity.runtime.detector import OnnxDetector, load_onnx
from dminity.training.recipe import epochs_of

PLOTS = METRICS / "plots"
CARD = MODEL.with_name("CARD.md")
# Pictures of false alarms, and of misses.
WORST = 8
FLAGS = ("truncated", "occluded")
DECIMALS = 4


def main() -> None:
    """Examine, draw, write."""
    params = load_params()
    recorded = read_recorded(METRICS)
    detector = load_onnx(ONNX, params.export.threads)
    test = _test(detector.description.classes)
    found = failures(test.errors, test.classes, _flags(test.annotations))
    pictures = Pictures(
        worst_false_alarms(test, WORST),
        worst_misses(test, WORST),
        _of_classes(detector),
    )
    variant = detector.description.variant
    epochs = epochs_of(params.train, len(voc.read_ids(VOC, "train")))
    train = params.train
    precision = params.export.precision
    recipe = Recipe(params.source, train.pretrained, train.pseudo_labels, epochs, precision)
    files = (MODEL, ONNX, ONNX_NMS, ONNX_INT8)
    card = model_card(detector.description, recipe, recorded, found, files)
    write_detector_page(METRICS / "report.html", variant, recorded, found, pictures)
    _write_tables(found)
    _write_pictures(pictures)
    with replacing_file(CARD) as unfinished:
        unfinished.write_text(card, encoding="utf-8")


def _test(classes: tuple[str, ...]) -> Split:
    """The test split, with what `evaluate` found in it."""
    annotations = voc.read_split(VOC, "test", classes)
    found = detection_table.from_table(
        tables.read(METRICS / "detections.parquet", detection_table.SCHEMA),
        [annotation.image_id for annotation in annotations],
        [(annotation.width, annotation.height) for annotation in annotations],
        classes,
    )
    truths = [voc.ground_truth(annotation, classes) for annotation in annotations]
    return Split(VOC, annotations, errors(truths, found, classes), classes)


def _flags(annotations: list[voc.Annotation]) -> dict[str, np.typing.NDArray[np.bool_]]:
    """Which boxes have which flag."""
    items = [item for annotation in annotations for item in annotation.objects]
    return {name: np.array([getattr(item, name) for item in items], np.bool_) for name in FLAGS}


def _of_classes(detector: OnnxDetector) -> dict[str, Photo]:
    """For each class a photo of the validation split, with what the detector finds in it."""
    classes = detector.description.classes
    chosen = photos_of_classes(voc.read_split(VOC, "validation", classes), classes)
    annotations = list({each.image_id: each for each in chosen.values()}.values())
    found = []
    with Progress[None]("report", total=len(annotations)) as progress:
        for annotation in annotations:
            found += detector.find([voc.annotated_photo(VOC, annotation)])
            progress.update(1)
    truths = [voc.ground_truth(annotation, classes) for annotation in annotations]
    split = Split(VOC, annotations, errors(truths, found, classes), classes)
    return one_of_each_class(split, chosen)


def _write_tables(found: Failures) -> None:
    """Write what DVC draws."""
    _write_table(found.curves, PLOTS / "pr_curves.csv")
    _write_table(found.errors, PLOTS / "errors.csv")
    _write_table(found.calibration, PLOTS / "calibration.csv")
    _write_table(found.size, PLOTS / "size.csv")
    _write_table(found.crowding, PLOTS / "crowding.csv")
    _write_table(found.flags, PLOTS / "flags.csv")


def _write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a small table as CSV."""
    with replacing_file(path) as unfinished:
        table.round(DECIMALS).to_csv(unfinished, index=False)


def _write_pictures(pictures: Pictures) -> None:
    """Write the page's photos as files."""
    with replacing_folder(PLOTS / "failures") as folder:
        for name, photo in pictures.all().items():
            (folder / f"{name}.jpg").write_bytes(photo.jpeg)


if __name__ == "__main__":
    run(main)
