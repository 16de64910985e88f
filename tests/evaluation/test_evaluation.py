"""Figures whose right values are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dminity.data.voc import Annotation, VocObject, ground_truth
from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation.coco import score
from dminity.evaluation.confusion import NOTHING, confusion

CLASSES = ("Bed", "Sink", "Towel")
Row = tuple[float, float, float, float, int]


def truth(*rows: Row, ignored: tuple[int, ...] = ()) -> GroundTruth:
    """What is in a photo: left, top, right, bottom, class; `ignored` are positions."""
    table = np.array(rows, float).reshape(-1, 5)
    flags = np.array([position in ignored for position in range(len(rows))], np.bool_)
    return GroundTruth(table[:, :4], table[:, 4].astype(np.int64), flags, 480, 640)


def found(*rows: tuple[float, float, float, float, int, float]) -> Detections:
    """What was found: left, top, right, bottom, class, score."""
    table = np.array(rows, float).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 5], table[:, 4].astype(np.int64))


BED: Row = (10, 10, 110, 110, 0)
SINK: Row = (200, 200, 300, 300, 1)


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


def test_confusion_pairs_boxes_and_detections() -> None:
    detections = found(
        (*BED, 0.9),  # right
        (200, 200, 300, 290, 2, 0.8),  # a sink taken for a towel
        (400, 400, 450, 450, 1, 0.7),  # a false alarm
        (*SINK, 0.1),  # not shown
    )
    missed: Row = (500, 10, 600, 90, 2)
    table = confusion([truth(BED, SINK, missed)], [detections], CLASSES, 0.4)
    assert sorted(table.itertuples(index=False, name=None)) == [
        ("Bed", "Bed"),
        ("Sink", "Towel"),
        ("Towel", NOTHING),
        (NOTHING, "Sink"),
    ]


def test_confusion_leaves_ignored_boxes_out() -> None:
    table = confusion([truth(BED, ignored=(0,))], [found((*BED, 0.9))], CLASSES, 0.4)
    assert table.empty


def test_each_box_is_taken_once() -> None:
    table = confusion([truth(BED)], [found((*BED, 0.9), (*BED, 0.8))], CLASSES, 0.4)
    assert sorted(table.itertuples(index=False, name=None)) == [("Bed", "Bed"), (NOTHING, "Bed")]


def test_difficult_objects_are_the_ignored_ones() -> None:
    objects = (
        VocObject("Sink", (1.0, 2.0, 3.0, 4.0)),
        VocObject("Bed", (0.0, 0.0, 9.0, 9.0), difficult=True),
    )
    known = ground_truth(Annotation("a", 64, 48, objects), CLASSES)
    assert known.class_ids.tolist() == [1, 0]
    assert known.ignored.tolist() == [False, True]
    assert (known.width, known.height) == (64, 48)
