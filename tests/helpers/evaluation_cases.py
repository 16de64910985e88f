"""Photos for evaluations whose right figures are known by heart."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dminity.data.tables import CORNERS
from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation.detection_table import to_table
from dminity.evaluation.openimages import Published

CLASSES = ("Bed", "Sink", "Towel")
# None of them is a kind of another.
RANDOM_CLASSES = ("Bed", "Sink", "Towel", "Mirror", "Pillow")
WIDTH, HEIGHT = 640, 480
Row = tuple[float, float, float, float, int]
BED: Row = (10, 10, 110, 110, 0)
SINK: Row = (200, 200, 300, 300, 1)


def truth(*rows: Row, ignored: tuple[int, ...] = ()) -> GroundTruth:
    """What is in a photo: left, top, right, bottom, class; `ignored` are positions."""
    table = np.array(rows, float).reshape(-1, 5)
    flags = np.array([position in ignored for position in range(len(rows))], np.bool_)
    return GroundTruth(table[:, :4], table[:, 4].astype(np.int64), flags, HEIGHT, WIDTH)


def found(*rows: tuple[float, float, float, float, int, float]) -> Detections:
    """What was found: left, top, right, bottom, class, score."""
    table = np.array(rows, float).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 5], table[:, 4].astype(np.int64))


def random_photos(seed: int, photos: int = 30) -> tuple[list[GroundTruth], list[Detections]]:
    """Photos of RANDOM_CLASSES in which much is found, with duplicates and false alarms.

    No two scores are equal; the last class is in no photo where the seed is even.
    """
    randomness = np.random.default_rng(seed)
    pairs = [_random_photo(randomness, len(RANDOM_CLASSES) - (seed + 1) % 2) for _ in range(photos)]
    truths, detections = zip(*pairs, strict=True)
    return list(truths), list(detections)


def _random_photo(randomness: np.random.Generator, classes: int) -> tuple[GroundTruth, Detections]:
    """A photo with boxes of a few sizes, a tenth of them ignored."""
    count = int(randomness.integers(6))
    boxes, class_ids = _random_boxes(randomness, count), randomness.integers(classes, size=count)
    near = np.repeat(np.arange(count), randomness.integers(4, size=count))
    alarms = int(randomness.integers(6))
    moved = boxes[near] + randomness.normal(0, 4, (len(near), 4))
    corners = np.concatenate([moved, _random_boxes(randomness, alarms)])
    corners[:, 2:] = np.maximum(corners[:, 2:], corners[:, :2] + 1)
    found_ids = np.concatenate(
        [class_ids[near], randomness.integers(len(RANDOM_CLASSES), size=alarms)]
    )
    truth = GroundTruth(boxes, class_ids, randomness.random(count) < 0.1, HEIGHT, WIDTH)
    return truth, Detections(corners, randomness.random(len(corners)), found_ids)


def _random_boxes(randomness: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Boxes of 15 to 200 pixels a side, many of which overlap: [count, 4]."""
    sides = np.exp(randomness.uniform(np.log(15), np.log(200), (count, 2)))
    corner = randomness.uniform(0, 250, (count, 2))
    return np.concatenate([corner, corner + sides], axis=1)


def shown(detections: list[Detections], least: float) -> list[Detections]:
    """Those of at least a score, best first."""
    chosen = []
    for each in detections:
        order = np.argsort(-each.scores, kind="stable")
        order = order[each.scores[order] >= least]
        chosen.append(
            Detections(each.xyxy_pixels[order], each.scores[order], each.class_ids[order])
        )
    return chosen


def coarse(
    truths: list[GroundTruth], detections: list[Detections]
) -> tuple[list[GroundTruth], list[Detections]]:
    """The same photos, with corners in steps of 16 pixels and scores in steps of a tenth."""

    def rounded(corners: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """At least 16 pixels wide and high."""
        steps = np.round(corners / 16)
        return np.concatenate([steps[:, :2], np.maximum(steps[:, 2:], steps[:, :2] + 1)], 1) * 16

    return (
        [replace(truth, xyxy_pixels=rounded(truth.xyxy_pixels)) for truth in truths],
        [
            replace(each, xyxy_pixels=rounded(each.xyxy_pixels), scores=each.scores.round(1))
            for each in detections
        ],
    )


def as_published(
    truths: list[GroundTruth], detections: list[Detections], classes: tuple[str, ...]
) -> tuple[Published, pd.DataFrame]:
    """The same photos as Open Images would have them: ignored boxes are groups.

    Of the classes without a box, those that the photo's detections name are labeled: the first one
    as absent, the second one not at all, and so on.
    """
    image_ids = tuple(f"{number:016x}" for number in range(len(truths)))
    boxes: list[tuple[Any, ...]] = []
    labels: list[tuple[str, str, bool]] = []
    for image_id, truth, each in zip(image_ids, truths, detections, strict=True):
        corners = truth.xyxy_pixels / (WIDTH, HEIGHT, WIDTH, HEIGHT)
        boxes += [
            (image_id, classes[class_id], *box, group)
            for class_id, box, group in zip(truth.class_ids, corners, truth.ignored, strict=True)
        ]
        shown = sorted(set(truth.class_ids.tolist()))
        others = sorted(set(each.class_ids.tolist()) - set(shown))
        labels += [(image_id, classes[class_id], True) for class_id in shown]
        labels += [(image_id, classes[class_id], False) for class_id in others[::2]]
    return (
        Published(
            image_ids,
            pd.DataFrame(boxes, columns=["image_id", "label", *CORNERS, "is_group_of"]),
            pd.DataFrame(labels, columns=["image_id", "label", "present"]),
        ),
        to_table(image_ids, [(WIDTH, HEIGHT)] * len(image_ids), detections, classes),
    )
