"""Intervals: the same every time, as wide as photos differ, and true about as often as they say."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation import coco, intervals, pascal_voc
from dminity.evaluation.intervals import (
    LEAST_PHOTOS,
    RESAMPLES,
    Estimate,
    OtherPhotos,
    Resampled,
    drawn,
    resample,
)
from dminity.evaluation.matches import Matches, average_precision
from tests.helpers.evaluation_cases import BED, RANDOM_CLASSES, SINK, found, random_photos, truth

CLASSES = RANDOM_CLASSES
Match = Callable[[list[GroundTruth], list[Detections], tuple[str, ...]], Matches]


def test_a_rerun_gives_the_same_interval() -> None:
    first, again = (resample(coco.match(*random_photos(1), CLASSES)) for _ in range(2))
    assert first[0].mean() == again[0].mean()
    assert first[1].of_class(0) == again[1].of_class(0)


@pytest.mark.parametrize("match", [coco.match, pascal_voc.match], ids=["coco", "voc"])
def test_the_numbers_of_classes_play_no_part(match: Match) -> None:
    truths, detections = random_photos(1)
    new = np.roll(np.arange(len(CLASSES)), 2)
    renamed = (
        [replace(each, class_ids=new[each.class_ids]) for each in truths],
        [replace(each, class_ids=new[each.class_ids]) for each in detections],
    )
    before = resample(match(truths, detections, CLASSES))
    after = resample(match(*renamed, CLASSES))
    for one, other in zip(before, after, strict=True):
        assert one.mean().low < one.mean().value < one.mean().high
        assert other.mean() == pytest.approx(one.mean())
        for class_id in range(len(CLASSES)):
            assert other.of_class(new[class_id]) == pytest.approx(one.of_class(class_id))


@pytest.mark.parametrize("match", [coco.match, pascal_voc.match], ids=["coco", "voc"])
def test_the_order_of_photos_plays_hardly_a_part(match: Match) -> None:
    truths, detections = random_photos(1, 100)
    before = resample(match(truths, detections, CLASSES))
    after = resample(match(truths[::-1], detections[::-1], CLASSES))
    for one, other in zip(before, after, strict=True):
        assert other.mean().value == pytest.approx(one.mean().value)
        # Each draw holds other photos, and a thousand draws are not all that there are.
        tolerance = 0.1 * (one.mean().high - one.mean().low)
        assert tolerance > 0
        assert other.mean() == pytest.approx(one.mean(), abs=tolerance)


def test_every_draw_has_as_many_photos() -> None:
    times = drawn(7)
    assert (times.sum(axis=0) == 7).all()
    assert times.mean() == 1
    assert (times > 1).any()


def test_a_draw_is_the_figure_of_photos_that_come_so_often() -> None:
    truths, detections = random_photos(3, 8)
    times = drawn(8)[:, :3]
    for match in (coco.match, pascal_voc.match):
        found_all = average_precision(match(truths, detections, CLASSES), times)
        for draw, often in enumerate(times.T):
            # Copies of a photo stand one behind the other, as those of a detection do.
            positions = np.repeat(np.arange(8), often)
            repeated = match(
                [truths[position] for position in positions],
                [detections[position] for position in positions],
                CLASSES,
            )
            expected = average_precision(repeated)[:, :, 0]
            np.testing.assert_allclose(found_all[:, :, draw], expected, atol=1e-12)


def test_where_all_photos_are_alike_there_is_no_doubt() -> None:
    matches = pascal_voc.match([truth(BED, SINK)] * 5, [found((*BED, 0.9))] * 5, CLASSES[:3])
    ap = resample(matches)[0]
    assert ap.of_class(0) == Estimate(1, 1, 1)
    assert ap.of_class(1) == Estimate(0, 0, 0)
    assert np.isnan(ap.of_class(2)).all()
    assert ap.mean() == Estimate(0.5, 0.5, 0.5)


def test_nothing_to_be_found_has_no_interval() -> None:
    ap = resample(pascal_voc.match([truth()], [found((*BED, 0.9))], CLASSES[:2]))[0]
    assert np.isnan(ap.mean()).all()


@pytest.mark.parametrize(("photos", "sure"), [(LEAST_PHOTOS - 1, False), (LEAST_PHOTOS, True)])
def test_a_class_that_few_photos_show_has_no_interval(photos: int, sure: bool) -> None:
    truths = [truth(BED)] * photos + [truth(SINK)] * 20
    every, none = (
        resample(pascal_voc.match(truths, [found(*row)] * len(truths), CLASSES[:2]))[0]
        for row in ([(*BED, 0.9)], [])
    )
    assert every.of_class(0).value == 1
    assert np.isnan(every.of_class(0).low) != sure
    # All draws with a bed hold a gain of 1, were it found by luck or not.
    gain = every.minus(none).of_class(0)
    assert gain.value == 1
    assert gain.is_noise() != sure
    # In the mean over the classes it counts.
    assert every.minus(none).mean().value == 0.5


def of_draws(value: float, draws: list[float], least: float = 0.0) -> Estimate:
    """The figure of one class that all of 100 photos show."""
    few, often = np.unique(draws, return_counts=True)
    drawn_values = np.repeat(few, often * RESAMPLES // len(draws))
    return Resampled(np.array([value]), drawn_values[None], np.array([100]), 100, least).of_class(0)


def test_an_interval_holds_its_figure() -> None:
    # One draw in fifty is far off: the mean of all lies below the middle 95 % of them.
    gain = of_draws(0.0, [0.0] * 49 + [-1.0], least=-1.0)
    assert tuple(gain) == pytest.approx((0.0, 0.0, 0.02))
    assert gain.is_noise()


def test_an_interval_ends_where_figures_do() -> None:
    spread = [0.5, 0.7, 0.9]
    assert tuple(of_draws(0.95, spread)) == pytest.approx((0.95, 0.75, 1.0))
    assert tuple(of_draws(0.05, spread)) == pytest.approx((0.05, 0.0, 0.25))
    assert of_draws(0.05, spread, least=-1.0).low == pytest.approx(-0.15)


def test_more_photos_make_the_interval_narrower() -> None:
    few, many = (
        resample(pascal_voc.match(*random_photos(1, photos), CLASSES))[0].mean()
        for photos in (25, 400)
    )
    assert many.low < many.value < many.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_ap_and_ap50_come_from_one_draw() -> None:
    ap, ap50 = resample(coco.match(*random_photos(1), CLASSES))
    assert (ap.draws <= ap50.draws + 1e-12)[~np.isnan(ap.draws)].all()
    assert ap.mean().value < ap50.mean().value


def test_a_difference_on_the_same_photos_is_surer_than_its_parts() -> None:
    truths, detections = random_photos(1, 100)
    lost = [  # every fifth photo is left without its detections
        each if number % 5 else found() for number, each in enumerate(detections)
    ]
    better, worse = (
        resample(pascal_voc.match(truths, each, CLASSES))[0] for each in (detections, lost)
    )
    gain = better.minus(worse).mean()
    assert gain.value == pytest.approx(better.mean().value - worse.mean().value)
    assert 0 < gain.low < gain.high
    assert not gain.is_noise()
    assert not worse.minus(better).mean().is_noise()
    assert better.mean().low < worse.mean().high, "apart, the two cannot be told from each other"
    assert better.minus(better).mean() == Estimate(0, 0, 0)
    assert better.minus(better).mean().is_noise()


def test_an_unknown_difference_is_noise() -> None:
    assert Estimate(0.1, np.nan, np.nan).is_noise()


def test_other_photos_cannot_be_compared() -> None:
    one, other = (
        resample(pascal_voc.match(*random_photos(1, photos), CLASSES))[0] for photos in (5, 6)
    )
    with pytest.raises(OtherPhotos, match="5 photos of 5 classes cannot be compared with 6 of 5"):
        one.minus(other)


def test_nine_of_ten_intervals_hold_what_other_photos_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intervals, "RESAMPLES", 200)
    every = pascal_voc.match(*random_photos(1, 4000), CLASSES)
    estimates = [
        resample(photos_of(every, slice(start, start + 100)))[0].mean()
        for start in range(0, 4000, 100)
    ]
    usual = np.mean([each.value for each in estimates])
    holding = [each.low <= usual <= each.high for each in estimates]
    assert np.mean(holding) >= 0.85


def photos_of(matches: Matches, chosen: slice) -> Matches:
    """The matches in some photos."""
    positions = np.arange(len(matches.positives))[chosen]
    own = np.isin(matches.photos, positions)
    return Matches(
        matches.photos[own] - positions[0],
        matches.class_ids[own],
        matches.right[:, own],
        matches.listed[:, own],
        matches.positives[chosen],
        matches.recalls,
    )
