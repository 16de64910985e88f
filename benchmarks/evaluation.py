"""How fast detections are scored, against pycocotools and faster-coco-eval; and intervals.

    make benchmarks

2,971 photos of 30 classes, as Open Images' validation and test splits of the amenities have, with
about 200,000 detections, made up: a box is found by several, and every photo has false alarms.
Contenders take turns. The peers begin with their own objects in memory and end with their table of
precision, ours begins with what a detector gives and ends with all twelve figures. Trust the
ratios.
"""

import contextlib
import io
import time
from collections.abc import Callable
from statistics import median

import faster_coco_eval
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from dminity.core.amenities import NAMES
from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation import coco, openimages, pascal_voc
from dminity.evaluation.detection_table import to_table
from dminity.evaluation.intervals import RESAMPLES, resample
from dminity.evaluation.overlaps import flat
from tests.helpers.pycocotools_figures import datasets

PHOTOS = 2971
BOXES_PER_PHOTO, NEAR_EACH, ALARMS = 2.5, 6, 52
WIDTH, HEIGHT = 640, 480
ROUNDS = 3


def main() -> None:
    """Make detections, let the contenders take turns, print seconds and ratios."""
    randomness = np.random.default_rng(1)
    truths, detections = zip(*(photo(randomness) for _ in range(PHOTOS)), strict=True)
    published, table = tables(list(truths), list(detections))
    print(f"{PHOTOS} photos, {len(published.boxes)} boxes, {len(table)} detections")
    scorings = {
        "COCO": coco_by_ours(list(truths), list(detections)),
        "COCO, pycocotools": coco_by(*silently(COCO, list(truths), list(detections)), COCOeval),
        "COCO, faster-coco-eval": coco_by(
            *silently(faster_coco_eval.COCO, list(truths), list(detections)),
            faster_coco_eval.COCOeval_faster,
        ),
        "Pascal VOC": lambda: pascal_voc.match(list(truths), list(detections), NAMES),
        "Open Images": lambda: openimages.match(published, table, NAMES),
    }
    show(in_turn(scorings), "COCO")
    matches = {
        "COCO, 10 IoUs": coco.match(list(truths), list(detections), NAMES),
        "Pascal VOC": pascal_voc.match(list(truths), list(detections), NAMES),
        "Open Images": openimages.match(published, table, NAMES),
    }
    for name, each in matches.items():
        start = time.perf_counter()
        resample(each)
        print(f"intervals of {name}, {RESAMPLES} resamples: {time.perf_counter() - start:.1f} s")


def photo(randomness: np.random.Generator) -> tuple[GroundTruth, Detections]:
    """A photo with boxes, detections near them, and false alarms."""
    count = 1 + randomness.poisson(BOXES_PER_PHOTO - 1)
    # Half of a photo's boxes are of one class: pillows, towels.
    class_ids = np.where(
        randomness.random(count) < 0.5,
        randomness.integers(len(NAMES)),
        some_classes(randomness, count),
    )
    boxes = some_boxes(randomness, count)
    detections = find(randomness, boxes, class_ids)
    ignored = randomness.random(count) < 0.05
    truth = GroundTruth(boxes, class_ids.astype(np.int64), ignored, HEIGHT, WIDTH)
    return truth, detections


def find(
    randomness: np.random.Generator, boxes: NDArray[np.float64], class_ids: NDArray[np.int64]
) -> Detections:
    """Detections near these boxes, and false alarms."""
    count = len(boxes)
    near = np.repeat(np.arange(count), randomness.poisson(NEAR_EACH, count))
    moved = boxes[near] + randomness.normal(0, 12, (len(near), 4))
    alarms = randomness.poisson(ALARMS)
    corners = np.concatenate([moved, some_boxes(randomness, alarms)])
    corners = np.concatenate(
        [
            np.minimum(corners[:, :2], corners[:, 2:]),
            np.maximum(corners[:, :2], corners[:, 2:]) + 1,
        ],
        1,
    )
    scores = np.concatenate([randomness.beta(2, 2, len(near)), randomness.beta(1, 8, alarms)])
    found_ids = np.concatenate([class_ids[near], some_classes(randomness, alarms)])
    order = np.argsort(-scores)
    return Detections(corners[order], scores[order], found_ids[order].astype(np.int64))


def some_classes(randomness: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Classes, as unlike in number as the amenities are."""
    likely = 1 / np.arange(1, len(NAMES) + 1)
    return randomness.choice(len(NAMES), count, p=likely / likely.sum()).astype(np.int64)


def some_boxes(randomness: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Boxes of any size: [count, 4]."""
    sides = np.exp(randomness.uniform(np.log(12), np.log(360), (count, 2)))
    corner = randomness.random((count, 2)) * (np.array([WIDTH, HEIGHT]) - sides).clip(1)
    return np.concatenate([corner, corner + sides], axis=1)


def tables(
    truths: list[GroundTruth], detections: list[Detections]
) -> tuple[openimages.Published, pd.DataFrame]:
    """The same as Open Images would publish it, and as `evaluate` keeps it."""
    image_ids = tuple(f"{number:016x}" for number in range(len(truths)))
    sizes = [(WIDTH, HEIGHT)] * len(truths)
    found, there = flat(truths, detections)
    boxes = pd.DataFrame(
        there.xyxy / (WIDTH, HEIGHT, WIDTH, HEIGHT), columns=["xmin", "ymin", "xmax", "ymax"]
    ).assign(
        image_id=np.array(image_ids)[there.photos],
        label=np.array(NAMES)[there.class_ids],
        is_group_of=there.special,
    )
    asked = pd.DataFrame(
        {"image_id": np.array(image_ids)[found.photos], "label": np.array(NAMES)[found.class_ids]}
    ).drop_duplicates()
    verified = asked[::2].assign(present=False)
    return (
        openimages.Published(image_ids, boxes, verified),
        to_table(image_ids, sizes, detections, NAMES),
    )


def silently(
    kind: Callable[..., COCO], truths: list[GroundTruth], detections: list[Detections]
) -> tuple[COCO, COCO]:
    """The peer's objects of what is there and what was found, without what it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return datasets(truths, detections, len(NAMES), kind)


def coco_by_ours(truths: list[GroundTruth], detections: list[Detections]) -> Callable[[], object]:
    """All twelve figures."""
    return lambda: coco.figures(truths, detections, NAMES)


def coco_by(truths: COCO, found: COCO, kind: Callable[..., COCOeval]) -> Callable[[], object]:
    """A peer's evaluation, without its summary."""

    def work() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = kind(truths, found, "bbox")
            evaluation.evaluate()
            evaluation.accumulate()

    return work


def in_turn(works: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds of each in every round."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def show(seconds: dict[str, list[float]], first: str) -> None:
    """Print medians, and ratios within a round."""
    for name, taken in seconds.items():
        ratio = median(b / a for a, b in zip(seconds[first], taken, strict=True))
        print(f"{name:24}{median(taken):8.2f} s{ratio:8.2f} x {first}")


if __name__ == "__main__":
    main()
