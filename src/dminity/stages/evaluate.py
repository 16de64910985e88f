"""evaluate: the detector on the test split, in figures, curves and pictures."""

import json
from pathlib import Path

import cv2
import pandas as pd
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from dminity.core.files import replacing_file, replacing_folder
from dminity.core.stage import METRICS, MODEL, VOC, run
from dminity.data import voc
from dminity.data.voc import ground_truth, read_photo
from dminity.detection.detections import Detections
from dminity.detection.drawing import draw_detections
from dminity.evaluation import cost
from dminity.evaluation.coco import score
from dminity.evaluation.confusion import confusion
from dminity.evaluation.settings import EvaluateSettings
from dminity.network.detector import Detector, load, network_input
from dminity.network.prediction import PlainPhotos, to_detections
from dminity.params import load_params

PLOTS = METRICS / "plots"
DECIMALS = 4


def main() -> None:
    """Find, score, measure, draw."""
    params = load_params()
    detector = load(MODEL)
    photos = PlainPhotos(VOC, voc.read_split(VOC, "test"), detector.input_size)
    detections = detect(detector, photos, params.evaluate)
    truths = [ground_truth(annotation, detector.classes) for annotation in photos.annotations]
    scores = score(truths, detections, detector.classes)
    first_photo = read_photo(VOC, photos.annotations[0].image_id)
    figures = {
        "AP": scores.ap,
        "AP50": scores.ap50,
        "AP75": scores.ap75,
        "precision": scores.precision,
        "recall": scores.recall,
        "images": len(truths),
        "boxes": sum(int((~truth.ignored).sum()) for truth in truths),
        "params_m": cost.params_millions(detector.network),
        "gflops": cost.gflops(detector),
        "size_mb": MODEL.stat().st_size / 1e6,
    } | cost.latency_ms(detector, first_photo, params.evaluate.min_score, params.evaluate.nms_iou)
    pairs = confusion(truths, detections, detector.classes, params.evaluate.shown_score)
    write_table(scores.per_class, METRICS / "per_class.csv")
    write_table(scores.curve, PLOTS / "pr_curve.csv")
    write_table(pairs, PLOTS / "confusion.csv")
    draw(detector.classes, photos.annotations, detections, params.evaluate)
    with replacing_file(METRICS / "evaluate.json") as path:
        rounded = {name: round(value, DECIMALS) for name, value in figures.items()}
        path.write_text(json.dumps(rounded, indent=2) + "\n")


def detect(detector: Detector, photos: PlainPhotos, settings: EvaluateSettings) -> list[Detections]:
    """What the detector finds in each photo, in their order."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = detector.network.to(device)
    found: list[Detections] = []
    with torch.inference_mode():
        for images, indices in tqdm(DataLoader(photos, settings.batch_size), "evaluate"):
            annotations = [photos.annotations[index] for index in indices.tolist()]
            found += to_detections(
                network(network_input(images.to(device))),
                [(annotation.height, annotation.width) for annotation in annotations],
                detector.input_size,
                settings.min_score,
                settings.nms_iou,
            )
    network.cpu()
    return found


def draw(
    classes: tuple[str, ...],
    annotations: list[voc.Annotation],
    detections: list[Detections],
    settings: EvaluateSettings,
) -> None:
    """Draw what was found in the first photos."""
    with replacing_folder(PLOTS / "predictions") as folder:
        pictures = list(zip(annotations, detections, strict=True))[: settings.pictures]
        for number, (annotation, found) in enumerate(pictures):
            photo = read_photo(VOC, annotation.image_id)
            picture = draw_detections(photo, found, classes, settings.shown_score)
            cv2.imwrite(str(folder / f"{number:02}.jpg"), picture)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a small table as CSV."""
    with replacing_file(path) as unfinished:
        table.round(DECIMALS).to_csv(unfinished, index=False)


if __name__ == "__main__":
    run(main)
