"""Invented photos, with what the reference implementations make of them."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dminity.data.tables import CORNERS
from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation.openimages import Published

# 60 JSON files, with a README of their own that says what each decides; not part of the project.
VECTORS = Path(__file__).parents[3] / "shared" / "openimages-eval-cases"
FILES = sorted(VECTORS.glob("*/*.json"))
needs_vectors = pytest.mark.skipif(not FILES, reason=f"{VECTORS} is not there")


@dataclass(frozen=True)
class Vector:
    """One file: photos as every protocol wants them, and the figures expected."""

    content: dict[str, Any]
    classes: tuple[str, ...]
    truths: list[GroundTruth]
    detections: list[Detections]
    published: Published
    table: pd.DataFrame

    @property
    def has_ties(self) -> bool:
        """Whether the reference's figures depend on its order of equal scores."""
        return "ties" in self.content["flags"]


@cache
def read_vector(path: Path) -> Vector:
    """A file of the vectors."""
    content = json.loads(path.read_text(encoding="utf-8"))
    photos, classes = content["photos"], tuple(content["classes"])
    boxes = [(photo["id"], box["class"], *box["box"], box["group"]) for photo, box in _all(photos)]
    labels = [
        (photo["id"], label["class"], label["confidence"] == 1)
        for photo in photos
        for label in photo["labels"]
    ]
    found = [
        (photo["id"], box["class"], box["score"], *box["box"])
        for photo, box in _all(photos, "detections")
    ]
    return Vector(
        content,
        classes,
        [_truth(photo, classes) for photo in photos],
        [_found(photo, classes) for photo in photos],
        Published(
            tuple(photo["id"] for photo in photos),
            pd.DataFrame(boxes, columns=["image_id", "label", *CORNERS, "is_group_of"]),
            pd.DataFrame(labels, columns=["image_id", "label", "present"]),
        ),
        pd.DataFrame(found, columns=["image_id", "label", "score", *CORNERS]),
    )


def _all(photos: list[dict[str, Any]], what: str = "boxes") -> list[tuple[Any, Any]]:
    """Every box of every photo, with its photo."""
    return [(photo, box) for photo in photos for box in photo[what]]


def _pixels(photo: dict[str, Any], boxes: list[dict[str, Any]]) -> Any:
    """Corners in pixels: [N, 4]."""
    corners = np.array([box["box"] for box in boxes], float).reshape(-1, 4)
    return corners * (photo["width"], photo["height"], photo["width"], photo["height"])


def _truth(photo: dict[str, Any], classes: tuple[str, ...]) -> GroundTruth:
    """What is in a photo, of the classes that are evaluated; groups are ignored."""
    boxes = [box for box in photo["boxes"] if box["class"] in classes]
    return GroundTruth(
        _pixels(photo, boxes),
        np.array([classes.index(box["class"]) for box in boxes], np.int64),
        np.array([box["group"] for box in boxes], np.bool_),
        photo["height"],
        photo["width"],
    )


def _found(photo: dict[str, Any], classes: tuple[str, ...]) -> Detections:
    """What was found in a photo."""
    boxes = photo["detections"]
    return Detections(
        _pixels(photo, boxes),
        np.array([box["score"] for box in boxes], float),
        np.array([classes.index(box["class"]) for box in boxes], np.int64),
    )
