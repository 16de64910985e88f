"""COCO's figures, where the right values are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation.coco import RECALLS, figures, match, score
from dminity.evaluation.matches import average_precision, curves
from dminity.evaluation.overlaps import flat
from tests.helpers.evaluation_cases import (
    BED,
    CLASSES,
    RANDOM_CLASSES,
    SINK,
    Row,
    coarse,
    found,
    random_photos,
    truth,
)
from tests.helpers.pycocotools_figures import figures as reference


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
    assert match(truths, [found()], CLASSES).positives.tolist() == [[1, 0, 0]]


def test_classes_without_a_box_are_not_averaged() -> None:
    scores = score([truth(BED)], [found((*BED, 0.9), (*SINK, 0.8))], CLASSES)
    assert scores.ap50 == pytest.approx(1)


def test_photos_and_detections_have_to_be_as_many() -> None:
    with pytest.raises(ValueError, match="2 photos, detections of 1"):
        score([truth(BED), truth()], [found()], CLASSES)


def test_a_second_box_is_found_by_a_second_detection_even_if_both_like_the_first() -> None:
    beds = truth((0, 0, 100, 100, 0), (0, 0, 100, 90, 0))
    both = found((0, 0, 100, 100, 0, 0.9), (0, 0, 100, 99, 0, 0.8))
    matches = match([beds], [both], CLASSES[:1])
    assert matches.right[0].tolist() == [True, True]


def test_more_than_a_hundred_detections_of_a_class_do_not_count() -> None:
    alarms = [(300, 300, 310, 310, 0, 0.9)] * 100
    assert figures([truth(BED)], [found(*alarms, (*BED, 0.1))], CLASSES[:1])["AP50"] == 0
    assert figures([truth(BED)], [found(*alarms[1:], (*BED, 0.1))], CLASSES[:1])["AP50"] > 0


def test_a_box_at_the_end_of_a_range_belongs_to_both() -> None:
    square: Row = (0, 0, 32, 32, 0)
    found_all = figures([truth(square)], [found((*square, 0.9))], CLASSES[:1])
    assert (found_all["AP_small"], found_all["AP_medium"]) == pytest.approx((1, 1))
    assert np.isnan(found_all["AP_large"])


@pytest.mark.parametrize("seed", range(8))
def test_all_figures_are_those_of_pycocotools(seed: int) -> None:
    truths, detections = random_photos(seed)
    # Equal scores, equal boxes, equal overlaps: the order is pycocotools' own, too.
    if seed % 2:
        truths, detections = coarse(truths, detections)
    expected, per_class = reference(truths, detections, len(RANDOM_CLASSES))
    found_all = figures(truths, detections, RANDOM_CLASSES)
    assert found_all == pytest.approx(expected, abs=1e-9, nan_ok=True)
    matches = match(truths, detections, RANDOM_CLASSES)
    of_classes = average_precision(matches)[:, :, 0].mean(axis=0)
    assert of_classes.tolist() == pytest.approx(per_class.tolist(), abs=1e-9, nan_ok=True)
    assert score(truths, detections, RANDOM_CLASSES).ap == pytest.approx(expected["AP"])


@pytest.mark.parametrize("seed", range(4))
def test_a_couch_on_a_sofa_bed_is_what_a_crowd_of_couches_makes_of_it(seed: int) -> None:
    classes = ("Bed", "Couch", "Towel", "Mirror", "Sofa bed")
    truths, detections = random_photos(seed)
    # Sofa beds of which half are found as couches, too.
    found_twice = [
        Detections(
            np.concatenate([each.xyxy_pixels, each.xyxy_pixels[each.class_ids == 4]]),
            np.concatenate([each.scores, each.scores[each.class_ids == 4] * 0.99]),
            np.concatenate([each.class_ids, np.ones((each.class_ids == 4).sum(), np.int64)]),
        )
        for each in detections
    ]
    crowds = [
        GroundTruth(
            np.concatenate([each.xyxy_pixels, each.xyxy_pixels[each.class_ids == 4]]),
            np.concatenate([each.class_ids, np.ones((each.class_ids == 4).sum(), np.int64)]),
            np.concatenate([each.ignored, np.ones((each.class_ids == 4).sum(), np.bool_)]),
            each.height,
            each.width,
        )
        for each in truths
    ]
    expected, per_class = reference(crowds, found_twice, len(classes))
    assert figures(truths, found_twice, classes) == pytest.approx(expected, abs=1e-9, nan_ok=True)
    matches = match(truths, found_twice, classes)
    of_classes = average_precision(matches)[:, :, 0].mean(axis=0)
    assert of_classes.tolist() == pytest.approx(per_class.tolist(), abs=1e-9, nan_ok=True)
    counted = match(truths, found_twice, RANDOM_CLASSES)
    assert (matches.positives == counted.positives).all(), "a sofa bed is no couch to be found"
    # Wrong is what is so without kinds too, but for a couch of which half lies on a sofa bed.
    wrong, wrong_alone = (each.listed[0] & ~each.right[0] for each in (matches, counted))
    all_found, boxes = flat(truths, found_twice)
    on_sofa_bed = [
        class_id == 1 and any(_share(xyxy, box) >= 0.5 for box in boxes.xyxy[sofa_beds])
        for photo, class_id, xyxy in zip(
            all_found.photos, all_found.class_ids, all_found.xyxy, strict=True
        )
        for sofa_beds in [(boxes.photos == photo) & (boxes.class_ids == 4)]
    ]
    assert wrong.tolist() == (wrong_alone & ~np.array(on_sofa_bed)).tolist()


def _share(xyxy: NDArray[np.float64], box: NDArray[np.float64]) -> float:
    """How much of a detection [4] lies in a box [4]."""
    sides = np.minimum(xyxy[2:], box[2:]) - np.maximum(xyxy[:2], box[:2])
    return float(sides.clip(0).prod() / (xyxy[2:] - xyxy[:2]).prod())


def test_the_curve_is_that_of_the_average_precision() -> None:
    matches = match(*random_photos(1), RANDOM_CLASSES)
    curve = curves(matches, RECALLS)
    found_all = average_precision(matches)[0, :, 0]
    assert curve.mean(axis=0).tolist() == pytest.approx(found_all.tolist(), nan_ok=True)


@given(st.permutations(range(4)))
def test_the_order_of_photos_plays_no_part(order: list[int]) -> None:
    truths = [truth(BED), truth(SINK), truth(BED, SINK), truth()]
    detections = [found((*BED, 0.9)), found((*BED, 0.7)), found((*SINK, 0.6)), found()]
    first = score(truths, detections, CLASSES)
    again = score([truths[i] for i in order], [detections[i] for i in order], CLASSES)
    assert again.ap == pytest.approx(first.ap)
