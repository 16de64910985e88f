"""Calibration, sizes, crowding, flags and curves: worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation.calibration import expected_error, reliability, wilson
from dminity.evaluation.difficulty import by_crowding, by_flags, by_size
from dminity.evaluation.errors import errors
from dminity.evaluation.failures import failures
from tests.helpers.evaluation_cases import (
    BED,
    CLASSES,
    RANDOM_CLASSES,
    SINK,
    Row,
    found,
    random_photos,
    truth,
)

SMALL_SINK: Row = (400, 10, 430, 40, 1)


def test_tenths_of_scores_with_the_share_that_is_right() -> None:
    detections = found(
        (*BED, 0.85), (*SINK, 0.84), (500, 10, 560, 70, 0, 0.81), (0, 400, 9, 450, 0, 1.0)
    )
    known = errors([truth(BED, SINK)], [detections], CLASSES[:2])
    table = reliability(known.matches, known.found.scores)
    assert table["from"].tolist() == [0.8, 0.9]
    assert table["detections"].tolist() == [3, 1]
    assert table["score"].tolist() == pytest.approx([2.5 / 3, 1.0])
    assert table["right"].tolist() == pytest.approx([2 / 3, 0])
    # Three detections are 1/6 off, one is 1 off.
    assert expected_error(table) == pytest.approx((3 / 6 + 1) / 4)


def test_what_lies_on_an_ignored_box_is_not_counted() -> None:
    known = errors([truth(BED, ignored=(0,))], [found((*BED, 0.9))], CLASSES[:1])
    table = reliability(known.matches, known.found.scores)
    assert table.empty
    assert np.isnan(expected_error(table))


@given(count=st.integers(1, 500), data=st.data())
def test_an_interval_holds_its_share_and_lies_in_0_to_1(count: int, data: st.DataObject) -> None:
    share = data.draw(st.integers(0, count)) / count
    low, high = wilson(share, count)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


def test_sizes_count_their_own_boxes_and_alarms() -> None:
    alarm = (500, 300, 520, 320, 0, 0.95)  # small, before the bed
    detections = found((*BED, 0.9), (*SMALL_SINK, 0.3), alarm)
    table = by_size(errors([truth(BED, SMALL_SINK)], [detections], CLASSES[:2])).set_index("group")
    assert list(table.index) == ["0 to 32 px", "96 to 192 px"]
    assert table["boxes"].tolist() == [1, 1]
    # The sink is found, with a score that is not shown to people.
    assert table["recall"].tolist() == [0, 1]
    assert table["AP50"].tolist() == pytest.approx([1, 1])


def test_crowding_is_the_number_of_boxes_that_count() -> None:
    truths = [truth(BED), truth(BED, SINK, ignored=(1,)), truth(BED, SINK), truth()]
    detections = [found((*BED, 0.9)), found(), found((*BED, 0.8)), found((*BED, 0.99))]
    table = by_crowding(errors(truths, detections, CLASSES[:2])).set_index("group")
    assert table["photos"].to_dict() == {"1": 2, "2 to 3": 1}
    assert table["boxes"].to_dict() == {"1": 2, "2 to 3": 2}
    assert table["recall"].to_dict() == {"1": 0.5, "2 to 3": 0.5}


def test_flags_are_those_of_boxes() -> None:
    known = errors([truth(BED, SINK)], [found((*BED, 0.9))], CLASSES[:2])
    flags = {"truncated": np.array([True, False]), "occluded": np.array([True, False])}
    table = by_flags(known, flags)
    assert table["group"].tolist() == ["truncated", "occluded", "neither"]
    assert table["recall"].tolist() == [1, 1, 0]


def test_curves_are_of_the_classes_that_have_a_box() -> None:
    known = errors([truth(BED)], [found((*BED, 0.9))], CLASSES[:2])
    curves = failures(known, ("Bed", "Sink"), {"truncated": np.array([False])}).curves
    assert set(curves["class"]) == {"Bed"}
    assert (curves["precision"] == 1).all()
    assert len(curves) == 101


@pytest.mark.parametrize(
    ("truths", "detections"),
    [([truth(BED)], [found()]), ([truth()], [found((*BED, 0.9))]), ([truth()], [found()])],
    ids=["no detection", "no ground truth", "nothing"],
)
def test_without_boxes_or_detections_the_tables_are_short(
    truths: list[GroundTruth], detections: list[Detections]
) -> None:
    known = errors(truths, detections, CLASSES[:1])
    tables = failures(known, ("Bed",), {"truncated": np.zeros(len(known.boxes.photos), np.bool_)})
    boxes = len(known.boxes.photos)
    assert len(tables.size) == len(tables.crowding) == len(tables.flags) == boxes
    assert len(tables.calibration) == len(known.found.scores)
    assert len(tables.curves) == 101 * boxes


@settings(max_examples=10)
@given(seed=st.integers(0, 9), order=st.permutations(range(8)))
def test_the_order_of_photos_plays_no_part(seed: int, order: list[int]) -> None:
    truths, detections = random_photos(seed, 8)
    known = errors(truths, detections, RANDOM_CLASSES)
    other = errors(
        [truths[place] for place in order], [detections[place] for place in order], RANDOM_CLASSES
    )
    for table in (by_size, by_crowding):
        pd.testing.assert_frame_equal(table(other), table(known))
    pd.testing.assert_frame_equal(
        reliability(other.matches, other.found.scores),
        reliability(known.matches, known.found.scores),
    )
