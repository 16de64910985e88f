"""Photos in which base and branch differ most: which, how much, and how they are drawn."""

import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from dminity.core.stage import VOC
from dminity.data.tables import CORNERS
from dminity.report.changed_photos import (
    ChangedPhoto,
    NoPhoto,
    Sides,
    both_sides,
    most_changed,
    side_by_side,
)
from dminity.report.paired import Shared
from dminity.report.pictures import BLUE, ORANGE
from dminity.report.pull_request import write_report
from dminity.report.variants import NotAtHand
from tests.helpers.variants import variant_of
from tests.report.test_paired import made

LEFT, RIGHT = [0.1, 0.1, 0.4, 0.4], [0.6, 0.6, 0.9, 0.9]
NAMES = ("main", "this branch")


def boxes(rows: list[tuple[str, str, list[float], float]]) -> pd.DataFrame:
    """Detections: photo, class, corners, score."""
    return pd.DataFrame(
        [
            {"image_id": image_id, "label": label, "score": score}
            | dict(zip(CORNERS, corners, strict=True))
            for image_id, label, corners, score in rows
        ]
    )


@pytest.fixture
def sides() -> Sides:
    """In a, the branch finds a second bed; in b, nothing that is shown; in c, what is wrong."""
    truths = boxes([(name, "Bed", place, 0) for name in "abc" for place in (LEFT, RIGHT)])
    truths = truths.assign(width=200, height=100, ignored=False)
    base = boxes([("a", "Bed", LEFT, 0.9), ("b", "Bed", LEFT, 0.9), ("c", "Oven", LEFT, 0.3)])
    branch = boxes(
        [
            ("a", "Bed", LEFT, 0.8),
            ("a", "Bed", RIGHT, 0.5),
            ("b", "Bed", LEFT, 0.5),
            ("b", "Bed", RIGHT, 0.3),
            ("c", "Oven", LEFT, 0.9),
            ("c", "Oven", RIGHT, 0.8),
        ]
    )
    return both_sides(truths, base, branch, Shared(("a", "b", "c"), ("Bed", "Oven"), 3, 2))


def test_photos_come_by_what_changed_in_them(sides: Sides) -> None:
    worse, better = most_changed(sides, 6)
    assert worse == ChangedPhoto(2, "c", boxes=2, right=(0, 0), wrong=(0, 2))
    assert better == ChangedPhoto(0, "a", boxes=2, right=(1, 2), wrong=(0, 0))
    assert most_changed(sides, 1) == [worse]


def test_the_base_is_on_the_left(sides: Sides, tmp_path: Path) -> None:
    path = tmp_path / VOC / "JPEGImages/c.jpg"
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), np.full((100, 200, 3), 128, np.uint8))
    (worse, _) = most_changed(sides, 6)
    jpeg = side_by_side(worse, sides, NAMES, variant_of(tmp_path))
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    half = picture.shape[1] // 2
    # The right color of the two that say right and wrong, as far as JPEG keeps it.
    near = {color: np.abs(picture.astype(int) - color).max(axis=2) < 40 for color in (BLUE, ORANGE)}
    assert not near[BLUE].any()
    assert not near[ORANGE][:, :half].any()
    assert near[ORANGE][:, half:].any()


def test_a_photo_that_is_none_or_not_there_is_named(sides: Sides, tmp_path: Path) -> None:
    (worse, better) = most_changed(sides, 6)
    path = tmp_path / VOC / "JPEGImages/c.jpg"
    path.parent.mkdir(parents=True)
    for content in (b"", b"no photo"):
        path.write_bytes(content)
        with pytest.raises(NoPhoto, match=r"^branch: .*c\.jpg is no photo; run"):
            side_by_side(worse, sides, NAMES, variant_of(tmp_path, "branch"))
    with pytest.raises(NotAtHand, match=r"a\.jpg"):
        side_by_side(better, sides, NAMES, variant_of(tmp_path, "branch"))


def test_other_classes_and_missing_photos_are_lines_of_the_report(tmp_path: Path) -> None:
    figures = {"coco": {"AP": 0.5, "AP50": 0.6}}
    made(tmp_path / "main", seed=1, classes=("Bed", "Towel"))
    made(tmp_path / "branch", seed=2, classes=("Bed", "Sink"))
    main, branch = (variant_of(tmp_path / name, figures=figures) for name in ("main", "branch"))
    write_report(tmp_path / "report", main, branch, [], [])
    text = (tmp_path / "report/report.md").read_text()
    assert re.search("Changes of AP are on 1 of 3 classes and .* photos, which both know", text)
    assert "- Not drawn: branch: data/voc/JPEGImages/" in text
