"""COCO's figures, where the right values are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dminity.evaluation.coco import score
from tests.helpers.evaluation_cases import BED, CLASSES, SINK, Row, found, truth


def test_finding_everything_exactly_is_perfect() -> None:
    scores = score([truth(BED, SINK)], [found((*BED, 0.9), (*SINK, 0.8))], CLASSES)
    figures = (scores.ap, scores.ap50, scores.ap75, scores.precision, scores.recall)
    assert figures == pytest.approx((1, 1, 1, 1, 1))


def test_finding_nothing_is_zero_and_not_an_error() -> None:
    scores = score([truth(BED), truth(SINK)], [found(), found()], CLASSES)
    assert (scores.ap, scores.ap50, scores.precision, scores.recall) == (0, 0, 0, 0)
    assert (scores.curve["precision"] == 0).all()


def test_photos_without_boxes_are_scored() -> None:
    scores = score([truth()], [found((*BED, 0.9))], CLASSES)
    assert (scores.ap, scores.recall) == (0, 0)


def test_a_box_that_overlaps_by_0_6_counts_for_the_first_thresholds_only() -> None:
    # 100 x 100 against 100 x 60 inside it: IoU 0.60, at least 0.50 and 0.55 and 0.60
    scores = score([truth(BED)], [found((10, 10, 110, 70, 0, 0.9))], CLASSES)
    assert scores.ap50 == pytest.approx(1)
    assert scores.ap75 == 0
    assert scores.ap == pytest.approx(0.3)


def test_one_of_two_found_after_a_false_alarm() -> None:
    alarm = (400, 400, 450, 450, 0, 0.95)
    other: Row = (300, 10, 400, 110, 0)
    scores = score([truth(BED, other)], [found(alarm, (*BED, 0.9))], CLASSES)
    # precision 1/2 up to recall 1/2, then nothing: 51 of 101 recall levels at 0.5
    assert scores.ap50 == pytest.approx(51 / 101 / 2)
    assert (scores.precision, scores.recall) == pytest.approx((0.5, 0.5))


def test_ignored_boxes_are_neither_found_nor_missed() -> None:
    group: Row = (300, 300, 400, 400, 0)
    truths = [truth(BED, group, ignored=(1,))]
    missed = score(truths, [found((*BED, 0.8))], CLASSES)
    hit = score(truths, [found((*BED, 0.8), (*group, 0.9))], CLASSES)
    assert missed.ap50 == pytest.approx(1)
    assert hit.ap50 == pytest.approx(1)
    assert hit.per_class.loc[0, "boxes"] == 1


def test_classes_without_a_box_are_listed_and_not_averaged() -> None:
    scores = score([truth(BED)], [found((*BED, 0.9), (*SINK, 0.8))], CLASSES)
    assert scores.ap50 == pytest.approx(1)
    table = scores.per_class.set_index("class")
    assert table.loc["Bed", "AP50"] == pytest.approx(1)
    assert table.loc["Sink", "boxes"] == 0
    assert table["AP50"].isna()["Sink"]


@given(st.permutations(range(4)))
def test_the_order_of_photos_plays_no_part(order: list[int]) -> None:
    truths = [truth(BED), truth(SINK), truth(BED, SINK), truth()]
    detections = [found((*BED, 0.9)), found((*BED, 0.7)), found((*SINK, 0.6)), found()]
    first = score(truths, detections, CLASSES)
    again = score([truths[i] for i in order], [detections[i] for i in order], CLASSES)
    assert again.ap == pytest.approx(first.ap)
