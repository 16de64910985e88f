"""Trainings of several models and seeds as a table in Markdown, and how far ours is ahead."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from dminity.report.seed_noise import STUDENTS_T

NONE = "-"
HEAD = (
    "", "AP of each seed", "mean", "ours by it", "AP50 of each seed", "mean", "by itself",
    "minutes", "photos/s", "photos learned from",
)  # fmt: skip


@dataclass(frozen=True)
class Training:
    """A training that is finished: a line of the file of results.

    seconds: of training, and of validation within. photos: how many it learned from, each as often
    as it did. per_second: how many in a second of learning. ap, ap50: COCO's, on the test photos,
    by our evaluator. own_ap, own_ap50: the same by the peer's. recipe: a checksum of parameters and
    photos.
    """

    model: str
    seed: int
    input_size: int
    seconds: float
    photos: int
    per_second: float
    ap: float
    ap50: float
    own_ap: float | None = None
    own_ap50: float | None = None
    recipe: str = ""


def table(trainings: Sequence[Training], ours: str) -> list[str]:
    """A row for each model: its seeds, their mean and standard deviation, what they took.

    How far ours is ahead is the ratio of the means of AP, with its interval over seeds.
    """
    models = dict.fromkeys(training.model for training in trainings)
    first = [each.ap for each in trainings if each.model == ours]
    rows = [HEAD, ("---",) * len(HEAD)]
    for model in models:
        own = sorted((each for each in trainings if each.model == model), key=lambda one: one.seed)
        ahead = NONE if model == ours else _ratio(first, [each.ap for each in own])
        rows.append((model, *_scores(own, ahead), *_costs(own)))
    return [f"| {' | '.join(row)} |" for row in rows]


def _scores(trainings: Sequence[Training], ahead: str) -> tuple[str, ...]:
    """The columns of figures."""
    aps, ap50s = [each.ap for each in trainings], [each.ap50 for each in trainings]
    own = [(each.own_ap, each.own_ap50) for each in trainings if each.own_ap is not None]
    means = [fmean(map(float, column)) for column in zip(*own, strict=True)]
    return (
        " ".join(f"{ap:.3f}" for ap in aps),
        _mean(aps),
        ahead,
        " ".join(f"{ap50:.3f}" for ap50 in ap50s),
        _mean(ap50s),
        ", ".join(f"{mean:.3f}" for mean in means) or NONE,
    )


def _costs(trainings: Sequence[Training]) -> tuple[str, ...]:
    """The columns of what it took, on average."""
    return (
        f"{fmean(each.seconds for each in trainings) / 60:.1f}",
        f"{fmean(each.per_second for each in trainings):.1f}",
        f"{fmean(each.photos for each in trainings):.0f}",
    )


def _mean(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
    return f"{fmean(values):.3f}{spread}"


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The ratio of two means, with its interval of 95 % where both have several seeds."""
    if not any(ours) or not any(theirs):
        return NONE
    ratio = fmean(ours) / fmean(theirs)
    if min(len(ours), len(theirs)) < 2:
        return f"{ratio:.2f}"
    factor = math.exp(_error_of_log_ratio(ours, theirs))
    return f"{ratio:.2f} ({ratio / factor:.2f} to {ratio * factor:.2f})"


def _error_of_log_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How far the logarithm of a ratio of means may be off, in 19 of 20 cases.

    That of a mean varies as the mean does, relative to it; degrees of freedom are Welch's.
    """
    parts = [(stdev(each) / fmean(each)) ** 2 / len(each) for each in (ours, theirs)]
    if not sum(parts):
        return 0.0
    freedom = sum(parts) ** 2 / (
        parts[0] ** 2 / (len(ours) - 1) + parts[1] ** 2 / (len(theirs) - 1)
    )
    students_t = STUDENTS_T[max(1, min(math.floor(freedom), len(STUDENTS_T))) - 1]
    return students_t * math.sqrt(sum(parts))
