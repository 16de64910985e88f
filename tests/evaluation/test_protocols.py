"""What holds of every protocol, whatever the photos."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation import coco, openimages, pascal_voc
from dminity.evaluation.matches import Matches, average_precision, mean_of_known
from dminity.evaluation.overlaps import BadDetection
from tests.helpers.evaluation_cases import (
    BED,
    CLASSES,
    RANDOM_CLASSES,
    SINK,
    as_published,
    found,
    random_photos,
    truth,
)

Photos = tuple[list[GroundTruth], list[Detections]]


def by_openimages(
    truths: list[GroundTruth], detections: list[Detections], classes: tuple[str, ...]
) -> Matches:
    """Open Images' protocol without its hierarchy."""
    published, table = as_published(truths, detections, classes)
    return openimages.match(published, table, classes, openimages.Rules(hierarchy=False))


PROTOCOLS = {"coco": coco.match, "voc": pascal_voc.match, "openimages": by_openimages}
every_protocol = pytest.mark.parametrize("match", PROTOCOLS.values(), ids=PROTOCOLS)
Match = Callable[[list[GroundTruth], list[Detections], tuple[str, ...]], Matches]


def aps(match: Match, photos: Photos, classes: tuple[str, ...] = RANDOM_CLASSES) -> NDArray[Any]:
    """Average precision of each class: [IoUs, classes]."""
    return average_precision(match(*photos, classes))[:, :, 0]


@every_protocol
@settings(max_examples=10)
@given(seed=st.integers(0, 9), order=st.permutations(range(12)))
def test_the_order_of_photos_plays_no_part(match: Match, seed: int, order: list[int]) -> None:
    truths, detections = random_photos(seed, 12)
    shuffled = [truths[position] for position in order], [detections[i] for i in order]
    expected = aps(match, (truths, detections))
    assert is_telling(expected)
    np.testing.assert_allclose(aps(match, shuffled), expected, atol=1e-12)


@every_protocol
@settings(max_examples=10)
@given(seed=st.integers(0, 9), names=st.permutations(range(len(RANDOM_CLASSES))))
def test_the_numbers_of_classes_play_no_part(match: Match, seed: int, names: list[int]) -> None:
    truths, detections = random_photos(seed, 12)
    # Which classes are verified without a box hangs on their order: here all that were found are.
    new = np.array(names)
    if match is by_openimages:
        detections = [shown_only(*each) for each in zip(truths, detections, strict=True)]
    renamed = (
        [replace(each, class_ids=new[each.class_ids]) for each in truths],
        [replace(each, class_ids=new[each.class_ids]) for each in detections],
    )
    expected = aps(match, (truths, detections))
    assert is_telling(expected)
    np.testing.assert_allclose(aps(match, renamed)[:, new], expected, atol=1e-12)


def is_telling(values: NDArray[np.float64]) -> bool:
    """Whether most classes are found in part, so that a mistake would change their figures."""
    return int(((values[0] > 0) & (values[0] < 1)).sum()) >= len(RANDOM_CLASSES) - 2


def shown_only(truth: GroundTruth, each: Detections) -> Detections:
    """The detections of classes that a photo shows."""
    shown = np.isin(each.class_ids, truth.class_ids)
    return Detections(each.xyxy_pixels[shown], each.scores[shown], each.class_ids[shown])


@every_protocol
def test_finding_everything_exactly_is_perfect(match: Match) -> None:
    photos = [truth(BED, SINK), truth()], [found((*BED, 0.9), (*SINK, 0.8)), found()]
    perfect = aps(match, photos, CLASSES[:2])
    assert perfect == pytest.approx(np.ones_like(perfect))


@every_protocol
def test_no_detection_is_zero_and_an_absent_class_is_undefined(match: Match) -> None:
    ap = aps(match, ([truth(BED)], [found()]), CLASSES[:2])
    assert (ap[:, 0] == 0).all()
    assert np.isnan(ap[:, 1]).all()
    assert mean_of_known(ap) == 0


@every_protocol
def test_where_nothing_is_to_be_found_there_is_no_figure(match: Match) -> None:
    for detections in ([found((*BED, 0.9))], [found()]):
        assert np.isnan(mean_of_known(aps(match, ([truth()], detections), CLASSES[:2])))


@every_protocol
def test_detections_of_an_absent_class_change_nothing(match: Match) -> None:
    with_alarm = aps(match, ([truth(BED)], [found((*BED, 0.5), (*SINK, 0.9))]), CLASSES[:2])
    assert mean_of_known(with_alarm) == pytest.approx(1)


@every_protocol
def test_equal_scores_stand_in_the_order_of_the_photos(match: Match) -> None:
    alarm = (400, 400, 450, 450, 0, 0.5)
    right, wrong = found((*BED, 0.5)), found(alarm)
    # A photo with a box of the class, so that Open Images counts the alarm.
    truths = [truth(BED), truth(BED)]
    first = aps(match, (truths, [right, wrong]), CLASSES[:1])[0, 0]
    last = aps(match, (truths, [wrong, right]), CLASSES[:1])[0, 0]
    assert first == pytest.approx(0.5, abs=0.01)
    assert last == pytest.approx(0.25, abs=0.01)


@every_protocol
def test_two_equal_detections_on_one_box_are_one_right_and_then_one_wrong(match: Match) -> None:
    twice = found((*BED, 0.5), (*BED, 0.5))
    assert aps(match, ([truth(BED)], [twice]), CLASSES[:1])[0, 0] == pytest.approx(1)


@every_protocol
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_refused(match: Match, number: float) -> None:
    photos = [truth(BED), truth(BED)], [found((*BED, 0.9)), found((*BED, number))]
    with pytest.raises(BadDetection, match=r"photo number 2 is no number \(score (nan|inf)"):
        match(*photos, CLASSES[:1])


@every_protocol
def test_a_corner_that_is_no_number_is_refused(match: Match) -> None:
    with pytest.raises(BadDetection, match=r"photo number 1 is no number \(score 0.9, box \[nan"):
        match([truth(BED)], [found((np.nan, 0, 9, 9, 0, 0.9))], CLASSES[:1])


def test_ignored_boxes_are_neither_found_nor_missed() -> None:
    group = (300, 300, 400, 400, 0)
    truths = [truth(BED, group, ignored=(1,))]
    for match in (coco.match, pascal_voc.match):
        for detections in ([found((*BED, 0.8))], [found((*BED, 0.8), (*group, 0.9))]):
            assert aps(match, (truths, detections), CLASSES)[0, 0] == pytest.approx(1)


def test_a_detection_goes_to_its_best_box_only_but_by_coco() -> None:
    # The second detection likes the first box best, which is taken.
    beds = truth((0, 0, 100, 100, 0), (0, 0, 100, 90, 0))
    both = found((0, 0, 100, 100, 0, 0.9), (0, 0, 100, 99, 0, 0.8))
    right = {
        name: match([beds], [both], CLASSES[:1]).right[0].sum() for name, match in PROTOCOLS.items()
    }
    assert right == {"coco": 2, "voc": 1, "openimages": 1}


def test_a_detection_without_an_area_is_wrong_by_coco_and_not_there_by_the_others() -> None:
    photos = [truth(BED)], [found((5, 5, 5, 5, 0, 0.9), (*BED, 0.8))]
    ap = {name: aps(match, photos, CLASSES[:1])[0, 0] for name, match in PROTOCOLS.items()}
    assert ap == pytest.approx({"coco": 0.5, "voc": 1, "openimages": 1})


@pytest.mark.parametrize("match", [coco.match, pascal_voc.match], ids=["coco", "voc"])
def test_a_couch_on_a_sofa_bed_is_neither_right_nor_wrong(match: Match) -> None:
    classes = ("Sofa bed", "Couch")
    photos = [truth(BED, SINK)], [found((*BED[:4], 1, 0.9), (*BED, 0.8), (*SINK, 0.7))]
    matches = match(*photos, classes)
    assert matches.positives.tolist() == [[1, 1]]
    assert matches.listed[0].tolist() == [False, True, True]
    assert aps(match, photos, classes)[0].tolist() == pytest.approx([1, 1])
    # A sofa bed on a couch is wrong: of couches nobody says that they are none.
    other_way = [truth(SINK)], [found((*SINK[:4], 0, 0.9), (*SINK, 0.7))]
    assert match(*other_way, classes).listed[0].tolist() == [True, True]
