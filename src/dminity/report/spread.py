"""What several trainings of one recipe give: the mean of each figure, and how far it spreads."""

import statistics
from collections.abc import Sequence

from dminity.report.recipes import OverSeeds
from dminity.report.seed_noise import seed_noise
from dminity.report.variants import Variant

FIGURES = (
    "coco.AP", "coco.AP50", "voc.AP50", "openimages.AP50", "presence.precision", "presence.recall",
)  # fmt: skip
SEED = "train.seed"
NONE = "-"


def spread_rows(variants: Sequence[Variant]) -> list[list[str]]:
    """A table: its head, a row for each training, their mean, their standard deviation (n-1).

    Args:
        variants: the trainings; a figure that one of them has not is a dash.
    """
    figures = [[_figure(variant, name) for name in FIGURES] for variant in variants]
    columns = [
        [value for value in column if value is not None] for column in zip(*figures, strict=True)
    ]
    means = [statistics.fmean(column) if column else None for column in columns]
    return [
        ["experiment", "seed", *FIGURES],
        *(
            [variant.name, str(variant.param(SEED)), *map(_text, row)]
            for variant, row in zip(variants, figures, strict=True)
        ),
        ["mean", "", *map(_text, means)],
        ["spread", "", *map(_text, map(_spread, columns))],
    ]


def spread_sentence(variants: Sequence[Variant]) -> str:
    """What the spread means for a comparison of two trainings; empty if there is none."""
    values = [value for variant in variants if (value := variant.figure("coco.AP50")) is not None]
    deviation = _spread(values)
    if deviation is None:
        return ""
    mean = statistics.fmean(values)
    said = (
        f"coco.AP50 {mean:.3f} ± {deviation:.3f} (standard deviation of {len(values)} trainings)."
    )
    if seeds := seed_noise([OverSeeds(mean, deviation, len(values))]):
        return (
            f"{said} Of two recipes that are equally good, a single training each gives figures up "
            f"to {seeds.apart(1, 1):.3f} apart, in 19 of 20 cases"
        )
    return f"{said} Two are too few to tell how far others may lie apart"


def _figure(variant: Variant, name: str) -> float | None:
    """A figure of a training by its name."""
    section, _, own = name.partition(".")
    if section != "presence":
        return variant.figure(name)
    value = variant.presence.get(own)
    return None if value is None else float(value)


def _spread(values: Sequence[float]) -> float | None:
    """The standard deviation, where there are two values at least.

    >>> _spread([0.8, 0.9]), _spread([0.8])
    (0.07071067811865474, None)
    """
    return statistics.stdev(values) if len(values) > 1 else None


def _text(value: float | None) -> str:
    """A figure as it is shown."""
    return NONE if value is None else f"{value:.4f}"
