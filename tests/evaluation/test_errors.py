"""Kinds of errors, and what mending them gains: worked out by hand, and for any photos."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation.errors import ERRORS, NO_BOX, Errors, Kind, error_table, errors
from dminity.evaluation.overlaps import BadDetection
from tests.helpers.evaluation_cases import (
    BED,
    CLASSES,
    RANDOM_CLASSES,
    SINK,
    found,
    random_photos,
    truth,
)

# Two beds, of which one is found well; a sink that is taken for a bed, and one that is missed.
OTHER_BED = (200, 10, 300, 110, 0)
LOST_SINK = (400, 300, 500, 400, 1)
PHOTO = truth(BED, OTHER_BED, SINK, LOST_SINK)
FOUND = found(
    (*BED, 0.9),
    (12, 10, 112, 110, 0, 0.8),  # the first bed again
    (240, 10, 340, 110, 0, 0.7),  # the other one, IoU 0.43
    (200, 200, 300, 300, 0, 0.6),  # the sink, as a bed
    (240, 200, 340, 300, 0, 0.5),  # the sink, as a bed, IoU 0.43
    (500, 10, 560, 70, 0, 0.3),  # nothing
)
KINDS = [Kind.RIGHT, Kind.DUPLICATE, Kind.BOX, Kind.CLASS, Kind.BOTH, Kind.BACKGROUND]


def by_error(table: pd.DataFrame, column: str) -> dict[str, float]:
    """A column of the table of errors."""
    return dict(zip(table["error"], table[column], strict=True))


def test_each_detection_is_of_one_kind() -> None:
    known = errors([PHOTO], [FOUND], CLASSES[:2])
    assert known.kinds.tolist() == KINDS
    assert known.meant.tolist() == [0, 0, 1, 2, NO_BOX, NO_BOX]
    assert known.found_with().tolist() == [0.9, 0, 0, 0]
    assert known.missed().tolist() == [False, False, False, True]
    # Where only those from 0.65 on count, the sink is missed too.
    assert known.missed(0.65).tolist() == [False, False, True, True]


def test_what_mending_gains() -> None:
    table = error_table(errors([PHOTO], [FOUND], CLASSES[:2]))
    # Half of the beds with precision 1, no sink: at 51 of 101 levels of recall, of two classes.
    gains = by_error(table, "gain")
    assert gains[Kind.CLASS] == pytest.approx(51 / 101 / 2)
    # Two beds of three that are said: 50 levels more, at a precision of two thirds.
    assert gains[Kind.BOX] == pytest.approx(50 / 101 * 2 / 3 / 2)
    # The others come after all that is right, or leave a class of which nothing is found.
    assert [gains[kind] for kind in (Kind.BOTH, Kind.DUPLICATE, Kind.BACKGROUND)] == [0, 0, 0]
    assert gains[Kind.MISSED] == 0
    assert by_error(table, "any") == dict.fromkeys(ERRORS, 1)
    assert by_error(table, "shown")[Kind.BACKGROUND] == 0


def test_a_miss_and_a_false_alarm_in_front_are_worth_something() -> None:
    alarm = (500, 10, 560, 70, 0, 0.95)
    table = error_table(errors([truth(BED, OTHER_BED)], [found((*BED, 0.9), alarm)], CLASSES[:1]))
    # AP50 is 51 levels at a precision of 1/2.
    gains = by_error(table, "gain")
    assert gains[Kind.BACKGROUND] == pytest.approx(51 / 101 / 2)
    assert gains[Kind.MISSED] == pytest.approx(50 / 101 / 2)


def test_of_those_that_mean_a_box_only_the_best_is_mended() -> None:
    poor = [(50, 10, 150, 110, 0, score) for score in (0.9, 0.8)]
    known = errors([truth(BED)], [found(*poor)], CLASSES[:1])
    assert known.kinds.tolist() == [Kind.BOX, Kind.BOX]
    mended = known.mended(Kind.BOX)
    assert mended.right.tolist() == [[True, False]]
    assert mended.listed.tolist() == [[True, False]]
    # A box that is found already is nobody's to find.
    known = errors([truth(BED)], [found((*BED, 0.95), *poor)], CLASSES[:1])
    assert known.mended(Kind.BOX).listed.tolist() == [[True, False, False]]


def test_what_lies_on_an_ignored_box_is_no_error() -> None:
    known = errors([truth(BED, ignored=(0,))], [found((*BED, 0.9))], CLASSES[:1])
    assert known.kinds.tolist() == [Kind.IGNORED]
    assert not known.missed().any()


@pytest.mark.parametrize(
    ("truths", "detections"),
    [
        ([truth()], [found()]),
        ([truth(BED)], [found()]),
        ([truth()], [found((*BED, 0.9))]),
        ([], []),
    ],
    ids=["nothing", "no detection", "no ground truth", "no photo"],
)
def test_with_nothing_to_compare_nothing_is_gained_but_misses(
    truths: list[GroundTruth], detections: list[Detections]
) -> None:
    table = error_table(errors(truths, detections, CLASSES[:2]))
    assert (table["gain"] == 0).all()
    assert by_error(table, "any")[Kind.MISSED] == sum(len(each.class_ids) for each in truths)


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadDetection, match="photo number 1 is no number"):
        errors([truth(BED)], [found((*BED, float("nan")))], CLASSES[:1])


def test_equal_scores_have_one_order() -> None:
    twins = found((*BED, 0.5), (*BED, 0.5))
    assert errors([truth(BED)], [twins], CLASSES[:1]).kinds.tolist() == [Kind.RIGHT, Kind.DUPLICATE]


@settings(max_examples=15)
@given(
    seed=st.integers(0, 9),
    order=st.permutations(range(12)),
    names=st.permutations(range(len(RANDOM_CLASSES))),
)
def test_neither_the_order_of_photos_nor_the_numbers_of_classes_play_a_part(
    seed: int, order: list[int], names: list[int]
) -> None:
    truths, detections = random_photos(seed, 12)
    new = np.array(names)
    other = errors(
        [replace(truths[place], class_ids=new[truths[place].class_ids]) for place in order],
        [renamed(detections[place], new) for place in order],
        RANDOM_CLASSES,
    )
    expected = error_table(errors(truths, detections, RANDOM_CLASSES))
    pd.testing.assert_frame_equal(error_table(other), expected)


def renamed(each: Detections, new: np.typing.NDArray[np.int64]) -> Detections:
    """The same detections, with other numbers for their classes."""
    return replace(each, class_ids=new[each.class_ids])


@settings(max_examples=15)
@given(seed=st.integers(0, 99))
def test_every_right_detection_found_one_box_of_its_class(seed: int) -> None:
    known: Errors = errors(*random_photos(seed, 12), RANDOM_CLASSES)
    right = known.kinds == Kind.RIGHT
    taken = known.meant[right]
    assert len(set(taken.tolist())) == right.sum()
    assert (known.boxes.class_ids[taken] == known.found.class_ids[right]).all()
    assert (known.boxes.photos[taken] == known.found.photos[right]).all()


def test_a_couch_on_a_sofa_bed_is_no_error() -> None:
    detections = found((*BED[:4], 1, 0.95), (*BED, 0.9))
    known = errors([truth(BED)], [detections], ("Sofa bed", "Couch"))
    assert known.kinds.tolist() == [Kind.IGNORED, Kind.RIGHT]
    assert len(known.boxes.class_ids) == 1, "boxes are those of the photo"
    other = errors([truth(BED)], [detections], ("Bed", "Couch"))
    assert other.kinds.tolist() == [Kind.CLASS, Kind.RIGHT]
