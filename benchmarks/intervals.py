"""How often an interval holds what other photos give, as drawn and as it is reported.

    make benchmarks

Of 12,000 made-up photos, some are taken 100 times as a test split. An interval of 95 % should hold
the mean figure of all these splits 95 times. Of two detectors that differ by luck alone, it should
call one better 5 times. For both it matters how many photos show a class: intervals are computed
here of those too that have none in a report.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.evaluation import find, photo
from dminity.core.amenities import NAMES
from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation import coco, pascal_voc
from dminity.evaluation.intervals import (
    LEAST_PHOTOS,
    PERCENTILES,
    Estimate,
    Resampled,
    resample,
)
from dminity.evaluation.matches import Matches

PHOTOS, SPLITS = 12_000, 100
SIZES = (150, 400, 1500)
# Classes that so many photos show, and more, up to the next.
SHOWN = (1, 2, 3, 4, 5, 10, PHOTOS)


def main() -> None:
    """Make photos, take splits of each size, print how many intervals hold."""
    randomness = np.random.default_rng(5)
    truths, detections = map(list, zip(*(photo(randomness) for _ in range(PHOTOS)), strict=True))
    hold(truths, detections, randomness)
    others = [find(randomness, truth.xyxy_pixels, truth.class_ids) for truth in truths]
    call(truths, detections, others, randomness)


def hold(
    truths: list[GroundTruth], detections: list[Detections], randomness: np.random.Generator
) -> None:
    """Print how many intervals hold the mean figure."""
    print(
        f"{'':12}{'photos':>7}{'as drawn':>10}{'reported':>10}{'10 commonest':>14}{'10 rarest':>11}"
    )
    for name, match in (("COCO AP", coco.match), ("VOC AP50", pascal_voc.match)):
        matches = match(truths, detections, NAMES)
        for size in SIZES:
            splits = [
                resample(part(matches, randomness.choice(PHOTOS, size, replace=False)))[0]
                for _ in range(SPLITS)
            ]
            drawn = holding([as_drawn(each) for each in splits])
            reported = holding([each.mean() for each in splits])
            order = np.argsort(-matches.positives.sum(axis=0))
            common, rare = (
                np.mean([holding([each.of_class(number) for each in splits]) for number in numbers])
                for numbers in (order[:10], order[-10:])
            )
            shares = f"{drawn:10.0%}{reported:10.0%}{common:14.0%}{rare:11.0%}"
            print(f"{name:12}{size:7}{shares}", flush=True)


def call(
    truths: list[GroundTruth],
    detections: list[Detections],
    others: list[Detections],
    randomness: np.random.Generator,
) -> None:
    """Print by the photos that show a class how many intervals hold, and how many call a gain."""
    one, other = (pascal_voc.match(truths, each, NAMES) for each in (detections, others))
    splits = [randomness.choice(PHOTOS, SIZES[0], replace=False) for _ in range(SPLITS)]
    pairs = [[resample(part(each, split))[0] for each in (one, other)] for split in splits]
    gains = [first.minus(second) for first, second in pairs]
    means = np.mean([not gain.mean().is_noise() for gain in gains])
    print(f"VOC AP50, {SIZES[0]} photos, two equal detectors: gains of the mean {means:.0%}")
    usual = np.nanmean([first.values for first, _ in pairs], axis=0)
    for least, most in pairwise(SHOWN):
        holds = [
            each.low <= usual[number] <= each.high
            for first, _ in pairs
            for number, each in of_classes(first, least, most)
        ]
        called = [
            not each.is_noise() for gain in gains for _, each in of_classes(gain, least, most)
        ]
        print(
            f"shown by {least} to {most - 1}: {len(holds)} intervals, "
            f"{np.mean(holds):.0%} hold, gains {np.mean(called):.0%}"
        )


def of_classes(found: Resampled, least: int, most: int) -> Iterator[tuple[int, Estimate]]:
    """The intervals of classes that so many photos show, be they ever so few, by position."""
    without_least = replace(found, shown=np.full_like(found.shown, LEAST_PHOTOS))
    for number in np.flatnonzero((found.shown >= least) & (found.shown < most)).tolist():
        yield number, without_least.of_class(number)


def part(matches: Matches, chosen: NDArray[np.int64]) -> Matches:
    """The matches in some photos."""
    positions = np.full(PHOTOS, -1)
    positions[chosen] = np.arange(len(chosen))
    own = positions[matches.photos] >= 0
    return Matches(
        positions[matches.photos[own]],
        matches.class_ids[own],
        matches.right[:, own],
        matches.listed[:, own],
        matches.positives[chosen],
        matches.recalls,
    )


def as_drawn(found: Resampled) -> Estimate:
    """The mean with the interval of its draws where they are."""
    low, high = np.percentile(np.nanmean(found.draws, axis=0), PERCENTILES)
    return Estimate(found.mean().value, float(low), float(high))


def holding(estimates: list[Estimate]) -> float:
    """The share of intervals that hold the mean of all figures; of those that are known."""
    known = np.array([each for each in estimates if not np.isnan(each.low)])
    usual = known[:, 0].mean()
    return float(((known[:, 1] <= usual) & (usual <= known[:, 2])).mean())


if __name__ == "__main__":
    main()
