"""evaluate: the detector on the test split, in figures, curves and pictures."""

from pathlib import Path

import cv2
import pandas as pd
import torch

from dminity.core.errors import DminityError, some
from dminity.core.files import replacing_file, replacing_folder, write_json
from dminity.core.progress import Progress, note
from dminity.core.stage import INDEX, METRICS, MODEL, VOC, run
from dminity.data import tables, voc
from dminity.detection.detections import SHOWN_SCORE, Detections
from dminity.detection.drawing import draw_detections
from dminity.evaluation import cost, detection_table, summary, truth_table
from dminity.evaluation.confusion import confusion
from dminity.evaluation.openimages import Published
from dminity.network.detector import Detector, load_detector
from dminity.params import load_params

PLOTS = METRICS / "plots"
DECIMALS = 4
SHOWN_NAMES = 3


class NoNumbers(DminityError):
    """Weights of the model are no numbers."""


class OtherClasses(DminityError):
    """The model knows other classes than those of the photos."""


def main() -> None:
    """Find, score, measure, draw."""
    params = load_params()
    detector = load_detector(MODEL)
    _refuse_what_is_no_number(detector)
    _refuse_other_classes(detector.classes, voc.read_classes(VOC))
    annotations = voc.read_split(VOC, "test", detector.classes)
    published = _published(annotations)
    detections = _detect(detector, annotations, params.evaluate.batch_size)
    truths = [voc.ground_truth(annotation, detector.classes) for annotation in annotations]
    table = detection_table.to_table(
        published.image_ids,
        [(annotation.width, annotation.height) for annotation in annotations],
        detections,
        detector.classes,
    )
    tables.write(table, METRICS / "detections.parquet", detection_table.SCHEMA)
    contents = truth_table.to_table(published.image_ids, truths, detector.classes)
    tables.write(contents, METRICS / "truths.parquet", truth_table.SCHEMA)
    found = summary.evaluate(summary.Photos(truths, detections, published, table, detector.classes))
    _write_table(summary.class_table(found), METRICS / "per_class.csv")
    _write_table(found.scores.curve, PLOTS / "pr_curve.csv")
    pairs = confusion(truths, detections, detector.classes, SHOWN_SCORE)
    _write_table(pairs, PLOTS / "confusion.csv")
    _draw(detector.classes, annotations[: params.evaluate.pictures], detections)
    figures = {
        **summary.figures(found),
        "images": len(truths),
        "input_size": detector.input_size[0],
        "params_m": round(cost.params_millions(detector.network), DECIMALS),
        "gflops": round(cost.gflops(detector), DECIMALS),
        "size_mb": round(MODEL.stat().st_size / 1e6, DECIMALS),
    }
    write_json(figures, METRICS / "evaluate.json")
    first_photo = voc.read_photo(VOC, annotations[0].image_id)
    write_cost(cost.latency(detector, first_photo))


def _refuse_what_is_no_number(detector: Detector) -> None:
    """Raise unless all weights are finite: others find nothing, as if nothing could be found.

    Raises:
        NoNumbers: naming the first layer whose weights are not.
    """
    for name, weights in detector.network.state_dict().items():
        if not weights.isfinite().all():
            raise NoNumbers(
                f"{MODEL}: weights of {name} are no numbers; run `dvc repro -f train` with a "
                "smaller train.lr, or `dvc checkout` for the model of before"
            )


def _refuse_other_classes(known: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    """Raise unless the model's classes are those of the photos, in any order.

    Raises:
        OtherClasses: naming some that only one of them has.
    """
    own = {
        MODEL: [name for name in known if name not in wanted],
        VOC / "classes.txt": [name for name in wanted if name not in known],
    }
    differences = [
        f"only {path} has {some(list(map(repr, names)), SHOWN_NAMES)}"
        for path, names in own.items()
        if names
    ]
    if differences:
        raise OtherClasses(
            f"{MODEL} knows other classes than those of the photos: {' and '.join(differences)}; "
            "run `dvc repro train`"
        )


def _published(annotations: list[voc.Annotation]) -> Published:
    """What the source says of the photos, whatever the policies for flagged boxes left of it."""
    image_ids = tuple(annotation.image_id for annotation in annotations)
    boxes = tables.read(INDEX / "boxes.parquet", tables.BOXES)
    verified = tables.read(INDEX / "verified.parquet", tables.VERIFIED)
    if foreign := sorted(set(image_ids) - set(boxes["image_id"])):
        note(
            f"test photos of which {INDEX} has no box: {len(foreign)} "
            f"({some(foreign, SHOWN_NAMES)}); so there are no figures by Open Images' protocol"
        )
        boxes, verified = boxes[:0], verified[:0]
    return Published(
        image_ids,
        boxes[boxes["image_id"].isin(image_ids)],
        verified[verified["image_id"].isin(image_ids)],
    )


def _detect(
    detector: Detector, annotations: list[voc.Annotation], batch_size: int
) -> list[Detections]:
    """What the detector finds in each photo, in their order."""
    detector.network.to("cuda" if torch.cuda.is_available() else "cpu")
    found: list[Detections] = []
    with Progress[None]("evaluate", total=len(annotations)) as progress:
        for start in range(0, len(annotations), batch_size):
            batch = annotations[start : start + batch_size]
            found += detector.find([voc.annotated_photo(VOC, item) for item in batch])
            progress.update(len(batch))
    detector.network.cpu()
    return found


def _draw(
    classes: tuple[str, ...], annotations: list[voc.Annotation], detections: list[Detections]
) -> None:
    """Draw what was found in the first photos."""
    with replacing_folder(PLOTS / "predictions") as folder:
        for number, annotation in enumerate(annotations):
            photo = voc.read_photo(VOC, annotation.image_id)
            picture = draw_detections(photo, detections[number], classes, SHOWN_SCORE)
            cv2.imwrite(str(folder / f"{number:02}.jpg"), picture)


def write_cost(latency: cost.Latency) -> None:
    """Write how long one photo takes; say so if that says little."""
    rounded = {
        key: round(value, DECIMALS) if isinstance(value, float) else value
        for key, value in latency._asdict().items()
    }
    write_json(rounded, METRICS / "cost.json")
    if latency.busy:
        note(
            f"{METRICS / 'cost.json'}: the machine was busy with other programs, so its "
            "milliseconds are too many; for better ones: dvc repro -f -s evaluate"
        )


def _write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a small table as CSV."""
    with replacing_file(path) as unfinished:
        table.round(DECIMALS).to_csv(unfinished, index=False)


if __name__ == "__main__":
    run(main)
