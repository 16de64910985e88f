"""How far trainings differ by luck: counted in trainings that are made up."""

import math

import numpy as np
import pytest

from dminity.report.recipes import OverSeeds
from dminity.report.seed_noise import SeedNoise, seed_noise


def test_two_seeds_do_not_tell_a_spread() -> None:
    assert seed_noise([OverSeeds(0.5, 0.02, 2)]) is None
    both = seed_noise([OverSeeds(0.5, 0.02, 2), OverSeeds(0.5, 0.04, 2), OverSeeds(0.1, 0.0, 1)])
    assert both is not None
    assert both.deviation == pytest.approx(math.sqrt((0.02**2 + 0.04**2) / 2))
    assert both.repeats == 2


@pytest.mark.parametrize("seeds", [3, 5, 31, 60])
def test_of_two_equal_recipes_19_in_20_differ_by_less(seeds: int) -> None:
    luck = np.random.default_rng(1)
    deviations = luck.normal(size=(20_000, seeds)).std(axis=1, ddof=1)
    apart = np.abs(luck.normal(size=(20_000, 3)).mean(axis=1) - luck.normal(size=20_000))
    limits = [SeedNoise(each, seeds - 1).apart(3, 1) for each in deviations.tolist()]
    assert (apart <= limits).mean() == pytest.approx(0.95, abs=0.01)
