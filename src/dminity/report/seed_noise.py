"""How far trainings differ that differ in `train.seed` only."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from dminity.report.recipes import OverSeeds

# One difference between two seeds says next to nothing of how far others spread.
LEAST_REPEATS = 2
# Student's t by degrees of freedom, from 1 on: between minus and plus so many standard deviations
# lie 19 of 20 values, where the deviation itself is known from so many repeats only.
STUDENTS_T = (
    12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True)
class SeedNoise:
    """The standard deviation between trainings.

    repeats: the degrees of freedom from which it is known: trainings, less one of each recipe.
    """

    deviation: float
    repeats: int

    def apart(self, count: int, other_count: int) -> float:
        """How far apart the means of so many trainings lie in 19 of 20 cases, by luck alone.

        >>> round(SeedNoise(0.02, 4).apart(1, 1), 3)
        0.079
        """
        # Beyond the table it hardly falls any more: to 1.96.
        students_t = STUDENTS_T[min(self.repeats, len(STUDENTS_T)) - 1]
        return students_t * self.deviation * math.sqrt(1 / count + 1 / other_count)


def seed_noise(figures: Iterable[OverSeeds]) -> SeedNoise | None:
    """What recipes with several trainings tell together; None if they are too few."""
    known = [each for each in figures if each.count > 1]
    repeats = sum(each.count - 1 for each in known)
    if repeats < LEAST_REPEATS:
        return None
    squares = sum((each.count - 1) * each.deviation**2 for each in known)
    return SeedNoise(math.sqrt(squares / repeats), repeats)
