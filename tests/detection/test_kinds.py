"""One thing under two names."""

import numpy as np

from dminity.core.amenities import NAMES
from dminity.detection.detections import Detections
from dminity.detection.drawing import draw_detections
from dminity.detection.kinds import is_kind_of, most_specific, said_together

CLASSES = ("Sofa bed", "Bed", "Couch")
BOX, SHIFTED, ELSEWHERE = (10, 10, 110, 110), (15, 10, 115, 110), (60, 10, 160, 110)
Row = tuple[tuple[float, float, float, float], str, float]


def found(*rows: Row) -> Detections:
    """Detections, best first."""
    return Detections(
        np.array([box for box, _, _ in rows], float).reshape(-1, 4),
        np.array([score for _, _, score in rows], float),
        np.array([CLASSES.index(name) for _, name, _ in rows], np.int64),
    )


def names(rows: Detections) -> list[tuple[str, float]]:
    """Classes and scores."""
    return [
        (CLASSES[class_id], score)
        for class_id, score in zip(rows.class_ids, rows.scores, strict=True)
    ]


def test_among_the_amenities_a_sofa_bed_is_a_couch_and_nothing_else_is_anything() -> None:
    (kinds,), (generals,) = is_kind_of(NAMES).nonzero()
    assert (NAMES[kinds], NAMES[generals]) == ("Sofa bed", "Couch")
    together = said_together(NAMES)
    assert together.sum() == len(NAMES) + 2
    assert together.diagonal().all()
    assert said_together(("a", "b")).tolist() == [[True, False], [False, True]]


def test_of_one_thing_the_specific_name_stays_if_it_is_half_as_sure() -> None:
    both = found((BOX, "Couch", 0.9), (BOX, "Bed", 0.5), (SHIFTED, "Sofa bed", 0.45))
    assert names(most_specific(both, CLASSES)) == [("Bed", 0.5), ("Sofa bed", 0.45)]
    guess = found((BOX, "Couch", 0.9), (BOX, "Bed", 0.5), (SHIFTED, "Sofa bed", 0.44))
    assert names(most_specific(guess, CLASSES)) == [("Couch", 0.9), ("Bed", 0.5)]
    two = found((BOX, "Couch", 0.9), (ELSEWHERE, "Sofa bed", 0.6))
    assert names(most_specific(two, CLASSES)) == names(two)
    assert names(most_specific(found(), CLASSES)) == []


def test_a_name_that_does_not_stay_takes_no_place() -> None:
    # The sofa bed is doubted beside the first couch, and would have taken the place of the second.
    between, second = (30, 10, 130, 110), (48, 10, 148, 110)
    rows = found((SHIFTED, "Couch", 0.9), (second, "Couch", 0.5), (between, "Sofa bed", 0.4))
    assert names(most_specific(rows, CLASSES)) == [("Couch", 0.9), ("Couch", 0.5)]


def test_pictures_have_one_name_for_a_thing() -> None:
    photo = np.zeros((200, 200, 3), np.uint8)
    both = found((BOX, "Couch", 0.9), (BOX, "Sofa bed", 0.6))
    drawn = draw_detections(photo, both, CLASSES, 0.5)
    np.testing.assert_array_equal(
        drawn, draw_detections(photo, found((BOX, "Sofa bed", 0.6)), CLASSES, 0.5)
    )
    # The specific name is not sure enough.
    drawn = draw_detections(photo, both, CLASSES, 0.7)
    np.testing.assert_array_equal(
        drawn, draw_detections(photo, found((BOX, "Couch", 0.9)), CLASSES, 0.7)
    )
