"""A comparison as tables: what variants find, and what they cost."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup

from dminity.evaluation.intervals import Estimate
from dminity.report.comparison import Comparison, Row
from dminity.report.page import NOTHING, Cell


class Table(NamedTuple):
    """A table: its head, and a row for each variant, which its first cell names."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def quality(comparison: Comparison) -> Table:
    """What the variants find, best first."""
    columns = (
        "variant", "model", "input", "AP", "AP50", f"AP beside {comparison.reference}", "",
        "presence precision", "presence recall",
    )  # fmt: skip
    return Table(columns, [_quality(row, comparison.reference) for row in comparison.rows])


def cost(comparison: Comparison) -> Table:
    """What the variants cost, in the same order."""
    columns = (
        "variant", "parameters M", "GFLOPs", "file MB", "forward ms", "p95", "NMS ms", "p95",
        "total ms", "p95", "photos/s", "training s",
    )  # fmt: skip
    return Table(columns, [_cost(row) for row in comparison.rows])


def _digits(value: float | None) -> Markup | None:
    """A size or time in three digits, more before the point.

    >>> [str(_digits(value)) for value in (0.05432, 12.0, 1234.5)]
    ['0.0543', '12.0', '1,234']
    """
    if value is None:
        return None
    return Markup(f"{value:#.3g}".rstrip(".") if value < 1000 else f"{value:,.0f}")  # noqa: S704


def _quality(row: Row, reference: str) -> list[Cell]:
    """A row of the first table."""
    variant = row.variant
    # Of trainings before the figure had a place, and after: `auto` in params.yaml is no number.
    size = variant.figure("input_size") or variant.param("train.input_size")
    return [
        row.candidate.name,
        str(variant.param("model") or NOTHING),
        int(size) if isinstance(size, int | float) else None,
        _over_seeds(row, "coco.AP"),
        _over_seeds(row, "coco.AP50"),
        row.difference.ap if row.difference else None,
        _verdict(row, reference),
        _rate(row, "precision"),
        _rate(row, "recall"),
    ]


def _verdict(row: Row, reference: str) -> str:
    """What the difference to the reference is, in a word."""
    if row.candidate.name == reference:
        return "reference"
    if row.noise:
        return "noise of seeds" if row.noise == "seeds" else "noise"
    if row.difference is None or math.isnan(row.difference.ap.value):
        return ""
    return "gain" if row.difference.ap.value > 0 else "loss"


def _over_seeds(row: Row, figure: str) -> Cell:
    """A figure with its interval over photos; of several trainings, its mean and deviation."""
    found = row.recipe.over_seeds(figure)
    if found is None:
        return None
    if found.count > 1:
        return Markup(f"{found.mean:.3f} ± {found.deviation:.3f}")  # noqa: S704
    limits = (row.variant.figure(f"{figure}_{end}") for end in ("low", "high"))
    return Estimate(found.mean, *(math.nan if limit is None else limit for limit in limits))


def _rate(row: Row, name: str) -> float | None:
    """How often "this photo shows it" is right, or is said: the mean over seeds."""
    values = [each.presence.get(name) for each in row.recipe.trainings]
    known = [float(value) for value in values if isinstance(value, int | float)]
    return sum(known) / len(known) if known else None


def _cost(row: Row) -> list[Cell]:
    """A row of the second table."""
    variant, latency = row.variant, row.latency
    times: list[Cell] = [None] * 6
    if latency:
        parts = (latency.forward, latency.nms, latency.total)
        times = [_digits(ms) for part in parts for ms in part]
    return [
        row.candidate.name,
        _digits(variant.figure("params_m")),
        _digits(variant.figure("gflops")),
        _digits(row.candidate.size_mb),
        *times,
        _digits(latency.photos_per_second()) if latency else None,
        _training_s(row),
    ]


def _training_s(row: Row) -> int | None:
    """The seconds that a training took photos, by its recorded speed; the mean over seeds."""
    seconds = []
    for variant in row.recipe.trainings:
        images = variant.data.get("images")
        photos = images.get("train") if isinstance(images, dict) else None
        recorded = variant.speed.get("images_per_second", pd.Series(dtype=float))
        # What is no number, in a damaged file, is not above 0 either.
        speed = pd.to_numeric(recorded, errors="coerce")
        if isinstance(photos, int) and len(speed) and (speed > 0).all():
            seconds.append(float((photos / speed).sum()))
    return round(sum(seconds) / len(seconds)) if seconds else None
