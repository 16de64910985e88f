"""The mean of several trainings, and their spread."""

from pathlib import Path

import pytest

from dminity.report.spread import spread_rows, spread_sentence
from dminity.report.variants import Variant
from tests.helpers.variants import variant_of


def trained(seed: int, ap50: float | None, precision: float | None) -> Variant:
    """What a training gave."""
    return variant_of(
        Path(),
        f"seed-{seed}",
        params={"train": {"seed": seed}},
        figures={"coco": {"AP50": ap50}},
        presence={"precision": precision},
    )


def test_mean_and_standard_deviation_of_what_there_is() -> None:
    variants = [trained(1, 0.7, None), trained(2, 0.8, 0.5), trained(3, 0.9, None)]
    head, *rows = spread_rows(variants)
    ap50, precision = head.index("coco.AP50"), head.index("presence.precision")
    assert [row[:2] for row in rows[:3]] == [["seed-1", "1"], ["seed-2", "2"], ["seed-3", "3"]]
    assert [row[ap50] for row in rows] == ["0.7000", "0.8000", "0.9000", "0.8000", "0.1000"]
    assert [row[precision] for row in rows] == ["-", "0.5000", "-", "0.5000", "-"]
    assert {row[head.index("voc.AP50")] for row in rows} == {"-"}
    said = spread_sentence(variants)
    assert said.startswith("coco.AP50 0.800 ± 0.100 ")
    # Student's t of two degrees of freedom, 4.303, times 0.1 times √2.
    assert "up to 0.609 apart" in said
    assert "too few" in spread_sentence(variants[:2])


@pytest.mark.parametrize("figures", [[], [0.7], [None, 0.7], [None, None]])
def test_one_figure_has_no_spread(figures: list[float | None]) -> None:
    variants = [trained(seed, figure, None) for seed, figure in enumerate(figures)]
    assert spread_sentence(variants) == ""
