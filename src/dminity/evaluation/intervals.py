"""How sure an average precision is: what it would have been with other photos like these.

The photos are drawn anew with replacement, 1,000 times, and the figure is computed from each draw
(bootstrap; Efron & Tibshirani, 1993). The middle 95 % of what comes out is its interval, moved so
that the mean of all draws lies on the figure: with photos that come twice average precision is
higher, as it is with fewer photos, and unmoved intervals missed (docs/evaluation.md has counts).
Photos are drawn and not boxes, as what is in one photo is found or missed together. The draw
depends on nothing but the number of photos: a rerun gives the same interval, and of two detectors
on the same photos each draw holds the same photos, so that the interval of their difference leaves
out what is hard for both.

A class that few photos show has no interval: all draws that hold one of three photos hold much the
same, so that a box more found by luck would pass for a sure gain. And nothing here is said about
another training of the same recipe.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dminity.core.errors import DminityError
from dminity.evaluation.matches import Matches, average_precision, mean_of_known
from dminity.evaluation.overlaps import Floats, Ints

RESAMPLES = 1000
PERCENTILES = (2.5, 97.5)
SEED = 1
# Of fewer photos that show a class, an interval says next to nothing, and of two equal detectors
# calls one better every third time (docs/evaluation.md); from here on it is right in nine of ten.
LEAST_PHOTOS = 5
# So many resamples at once fit into a processor's cache, of photos by the thousand.
AT_ONCE = 50


class OtherPhotos(DminityError):
    """Two evaluations are not of the same photos."""


class Estimate(NamedTuple):
    """A figure and its interval of 95 %, which holds it.

    All are NaN where nothing is to be found, and the limits of a class that fewer photos show than
    LEAST_PHOTOS.
    """

    value: float
    low: float
    high: float

    def is_noise(self) -> bool:
        """Of a difference: whether other photos might as well turn it around, for all we know."""
        return not (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Resampled:
    """The average precision of each class, as it is and in each draw of the photos.

    values: [classes]. draws: [classes, RESAMPLES]. NaN where nothing is to be found. shown:
    [classes], how many photos have something to be found. photos: how many there are. least: the
    lowest value that there can be; the highest is 1.
    """

    values: Floats
    draws: Floats
    shown: Ints
    photos: int
    least: float = 0.0

    def mean(self) -> Estimate:
        """The mean over the classes that have something to be found, in each draw anew."""
        return self._estimate(mean_of_known(self.values), _means(self.draws))

    def of_class(self, position: int) -> Estimate:
        """The average precision of one class."""
        value = float(self.values[position])
        if self.shown[position] < LEAST_PHOTOS:
            return Estimate(value, np.nan, np.nan)
        return self._estimate(value, self.draws[position])

    def minus(self, other: "Resampled") -> "Resampled":
        """What each class gains over another detector, on the same photos in the same order.

        Raises:
            OtherPhotos: if there are more or fewer of them, or of the classes.
        """
        if (self.photos, len(self.values)) != (other.photos, len(other.values)):
            raise OtherPhotos(
                f"{self.photos} photos of {len(self.values)} classes cannot be compared with "
                f"{other.photos} of {len(other.values)}: evaluate both on the same test split"
            )
        return Resampled(
            self.values - other.values,
            self.draws - other.draws,
            np.minimum(self.shown, other.shown),
            self.photos,
            -1.0,
        )

    def _estimate(self, value: float, draws: Floats) -> Estimate:
        """A figure with the interval of its draws [B]; those without any positive say nothing."""
        known = draws[~np.isnan(draws)]
        if np.isnan(value) or not known.size:
            return Estimate(value, np.nan, np.nan)
        limits = np.percentile(known, PERCENTILES) - known.mean() + value
        low, high = np.clip(limits, self.least, 1.0).tolist()
        # Where one draw in forty is far off and the others are alike, both limits lie on one side.
        return Estimate(value, min(low, value), max(high, value))


def resample(matches: Matches) -> tuple[Resampled, Resampled]:
    """The average precision of each class over all IoUs of a protocol, and at the first one."""
    photos = len(matches.positives)
    shown = np.count_nonzero(matches.positives, axis=0)
    values = average_precision(matches)[:, :, 0]
    times = drawn(photos)
    # [IoUs, classes, RESAMPLES]
    draws = np.concatenate(
        [
            average_precision(matches, np.ascontiguousarray(times[:, start : start + AT_ONCE]))
            for start in range(0, RESAMPLES, AT_ONCE)
        ],
        axis=2,
    )
    return (
        Resampled(values.mean(axis=0), draws.mean(axis=0), shown, photos),
        Resampled(values[0], draws[0], shown, photos),
    )


def drawn(photos: int) -> NDArray[np.int32]:
    """How often each photo is in each draw: [photos, RESAMPLES]."""
    randomness = np.random.default_rng(SEED)
    times = np.empty((photos, RESAMPLES), np.int32)
    for number in range(RESAMPLES):
        picked = randomness.integers(photos, size=photos)
        times[:, number] = np.bincount(picked, minlength=photos)
    return times


def _means(draws: Floats) -> Floats:
    """The mean over the classes that are known in each draw: [B], of [classes, B]."""
    known = ~np.isnan(draws)
    counts = known.sum(axis=0)
    sums = np.where(known, draws, 0.0).sum(axis=0)
    return np.asarray(sums / np.where(counts > 0, counts, np.nan))
