"""Whether a photo shows a class: scores, thresholds and figures worked out by hand."""

import numpy as np
import pytest

from dminity.evaluation.presence import (
    LEAST_PHOTOS,
    NEVER,
    Answers,
    Presence,
    Thresholds,
    answers,
    choose_thresholds,
    figures,
    presence,
    together,
)
from tests.helpers.evaluation_cases import BED, CLASSES, SINK, found, truth


def one_class(rights: list[float], wrongs: list[float], missed: int = 0) -> Presence:
    """Photos with these best scores of one class, which show it or do not, and some not found."""
    scores = [*rights, *[0.0] * missed, *wrongs]
    shown = [True] * (len(rights) + missed) + [False] * len(wrongs)
    return Presence(np.array([scores]).T, np.array([shown]).T, np.ones((len(scores), 1), np.bool_))


def chosen(known: Presence, precision: float = 0.9) -> Thresholds:
    return choose_thresholds(known, precision)


def test_the_best_score_of_a_photo_counts_wherever_it_is() -> None:
    known = presence(
        [truth(BED), truth(SINK), truth(BED, SINK, ignored=(0,)), truth(BED, BED, ignored=(1,))],
        [
            found((*SINK[:4], 0, 0.3), (*BED[:4], 0, 0.2), (*SINK, 0.1)),
            found((*SINK, 0.8), (*SINK, 0.9)),
            found((*BED, 0.7)),
            found(),
        ],
        classes=CLASSES,
    )
    np.testing.assert_array_equal(
        known.scores, [[0.3, 0.1, 0], [0, 0.9, 0], [0.7, 0, 0], [0, 0, 0]]
    )
    np.testing.assert_array_equal(
        known.shown,
        [[True, False, False], [False, True, False], [False, True, False], [True, False, False]],
    )
    # Of the third photo nobody knows whether a group of beds is to be found.
    np.testing.assert_array_equal(
        known.counted, [[True] * 3, [True] * 3, [False, True, True], [True] * 3]
    )


def test_a_threshold_is_the_lowest_score_that_is_right_often_enough() -> None:
    rights = [0.99, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.3]
    assert chosen(one_class(rights, [])).values == (0.3,)
    # 9 of 10 are right from 0.6 on, 10 of 11 from 0.3 on.
    assert chosen(one_class(rights, [0.61])).values == (0.3,)
    assert chosen(one_class(rights, [0.61]), 0.905).values == (0.3,)
    assert chosen(one_class(rights, [0.61]), 0.92).values == (0.65,)
    # A high score that is wrong does not end it: 9 of 10 from 0.6 on, 10 of 12 from 0.3 on.
    assert chosen(one_class(rights, [0.999, 0.5])).values == (0.6,)
    # Below the last that is right there is nothing to be won; what was not found says nothing.
    assert chosen(one_class(rights, [0.2], missed=5)).values == (0.3,)


def test_equal_scores_are_said_together_or_not_at_all() -> None:
    rights = [0.9] * 8 + [0.5, 0.5]
    assert chosen(one_class(rights, [0.5])).values == (0.5,)
    assert chosen(one_class(rights, [0.5, 0.5])).values == (0.9,)
    assert chosen(one_class([0.9] * 10, [0.9] * 2)).values == (NEVER,)


def test_a_class_that_is_never_right_often_enough_is_never_said() -> None:
    known = one_class([0.5] * LEAST_PHOTOS, [0.9, 0.8])
    found_out = chosen(known)
    assert found_out.values == (NEVER,)
    assert found_out.never == (0,)
    assert found_out.too_few == ()
    assert answers(known, found_out.values) == [Answers(LEAST_PHOTOS, 0, 0)]


def test_a_class_that_few_photos_show_has_the_threshold_of_all_together() -> None:
    many = one_class([0.9] * 15 + [0.4] * 7, [0.5] * 3, missed=5)
    scores = np.zeros((30, 3))
    shown = np.zeros((30, 3), np.bool_)
    scores[:, 0], shown[:, 0] = many.scores[:, 0], many.shown[:, 0]
    scores[:9, 1], shown[:9, 1] = 0.7, True
    scores[20, 1] = 0.2
    found_out = chosen(Presence(scores, shown, np.ones((30, 3), np.bool_)))
    # Together: 24 of 24 from 0.7 on, 31 of 34 from 0.4 on. The first alone: 22 of 25 from 0.4 on.
    assert found_out.values == (0.9, 0.4, 0.4)
    found_out = chosen(Presence(scores, shown, np.ones((30, 3), np.bool_)), 0.92)
    assert found_out.values == (0.9, 0.7, 0.7)
    assert found_out.too_few == (1, 2)
    assert found_out.never == ()


def test_nothing_there_or_nothing_found_is_never_said() -> None:
    nothing = Presence(np.zeros((4, 2)), np.zeros((4, 2), np.bool_), np.ones((4, 2), np.bool_))
    assert chosen(nothing) == Thresholds((NEVER, NEVER), (0, 1), (0, 1))
    wrong = one_class([], [0.9, 0.5])
    assert chosen(wrong) == Thresholds((NEVER,), (0,), (0,))


def test_photos_whose_only_boxes_are_ignored_decide_nothing() -> None:
    known = one_class([0.8] * 10, [0.9] * 5)
    assert chosen(known).values == (NEVER,)
    counted = known.counted.copy()
    counted[10:] = False
    spared = Presence(known.scores, known.shown, counted)
    assert chosen(spared).values == (0.8,)
    assert answers(spared, (0.8,)) == [Answers(shown=10, said=10, right=10)]


def test_figures() -> None:
    # Beds: said of three photos, twice rightly; four show one. Sinks: said of one, which shows it.
    scores = np.array([[0.9, 0.0], [0.8, 0.0], [0.5, 0.7], [0.1, 0.2], [0.0, 0.6]])
    shown = np.array([[True, False], [True, False], [False, True], [True, False], [True, False]])
    known = Presence(scores, shown, np.ones((5, 2), np.bool_))
    written = figures(known, (0.5, 0.65), ("Bed", "Sink"))
    assert written == {
        "precision": 0.75,
        "recall": 0.6,
        "photos": 5,
        "per_class": {
            "Bed": {"threshold": 0.5, "photos": 4, "precision": 0.6667, "recall": 0.5},
            "Sink": {"threshold": 0.65, "photos": 1, "precision": 1.0, "recall": 1.0},
        },
    }


@pytest.mark.parametrize(("shown", "precision", "recall"), [(0, None, None), (2, None, 0.0)])
def test_what_cannot_be_known_is_not_made_up(
    shown: int, precision: float | None, recall: float | None
) -> None:
    given = together([Answers(shown, 0, 0), Answers(0, 0, 0)])
    assert (given.precision(), given.recall()) == (precision, recall)


def test_of_a_photo_with_a_sofa_bed_alone_nobody_asks_whether_it_shows_a_couch() -> None:
    known = presence(
        [truth(BED), truth(SINK), truth(BED, SINK)], [found()] * 3, ("Sofa bed", "Couch")
    )
    np.testing.assert_array_equal(known.counted, [[True, False], [True, True], [True, True]])
    np.testing.assert_array_equal(known.shown, [[True, False], [False, True], [True, True]])
