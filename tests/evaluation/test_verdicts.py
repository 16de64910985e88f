"""What is made of each detection, in the order in which a photo has them."""

import numpy as np
import pytest

from dminity.evaluation import coco
from dminity.evaluation.overlaps import BadDetection
from dminity.evaluation.verdicts import NO_CLASS, verdicts
from tests.helpers.evaluation_cases import (
    BED,
    CLASSES,
    RANDOM_CLASSES,
    SINK,
    found,
    random_photos,
    shown,
    truth,
)

FIELDS = ("right", "wrong")


def test_each_detection_has_its_verdict() -> None:
    photos = [truth(), truth(BED, SINK, (300, 300, 400, 400, 0), ignored=(2,))]
    detections = found(
        (*BED, 0.9),  # right
        (300, 300, 380, 400, 0, 0.8),  # in the ignored box
        (10, 10, 110, 112, 0, 0.7),  # the bed once more
        (200, 200, 300, 290, 2, 0.6),  # a sink taken for a towel
        (300, 300, 400, 400, 1, 0.5),  # on the ignored box, but of another class
    )
    alarm = found((*SINK, 0.95))
    first, second = verdicts(photos, [alarm, detections], CLASSES)
    assert (first.right.tolist(), first.wrong.tolist()) == ([False], [True])
    assert first.actual.tolist() == [NO_CLASS]
    assert second.right.tolist() == [True, False, False, False, False]
    assert second.wrong.tolist() == [False, False, True, True, True]
    assert second.actual.tolist() == [NO_CLASS, NO_CLASS, NO_CLASS, 1, NO_CLASS]


def test_all_together_are_those_of_coco() -> None:
    truths, detections = random_photos(1)
    best_first = shown(detections, 0.0)
    matches = coco.match(truths, best_first, RANDOM_CLASSES)
    judged = verdicts(truths, best_first, RANDOM_CLASSES)
    for photo, each in enumerate(judged):
        own = matches.photos == photo
        assert each.right.tolist() == matches.right[0, own].tolist()
        assert (each.right | each.wrong).tolist() == matches.listed[0, own].tolist()
    right, wrong = (np.concatenate([getattr(each, of) for each in judged]) for of in FIELDS)
    assert right.any()
    assert wrong.any()
    assert not (right | wrong).all()
    assert not (right & wrong).any()


def test_no_photos_and_no_detections_have_no_verdicts() -> None:
    assert verdicts([], [], CLASSES[:1]) == []
    (none,) = verdicts([truth(BED)], [found()], CLASSES[:1])
    assert len(none.right) == len(none.wrong) == len(none.actual) == 0


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadDetection, match="photo number 1 is no number"):
        verdicts([truth(BED)], [found((*BED, np.nan))], CLASSES[:1])
