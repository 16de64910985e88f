"""The decision on a branch: verdicts by their rules, and the lines of the table."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from dminity.evaluation.intervals import Estimate
from dminity.report.decision import EXPORT_COST, decide
from dminity.report.paired import Difference, Shared
from dminity.report.variants import Variant
from tests.helpers.variants import variant_of

NOT_KNOWN = "\N{EN DASH}"
NOTHING = Estimate(0.0, 0.0, 0.0)
NOISE = Estimate(0.01, -0.01, 0.03)
GAIN = Estimate(0.02, 0.01, 0.03)
LOSS = Estimate(-0.02, -0.03, -0.01)
UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))


def side(folder: Path, name: str, ap: float, size_mb: float = 4.0, ms: float = 10.0) -> Variant:
    """A variant with an AP, the size of its model, and its latency."""
    cost = folder / name / EXPORT_COST
    cost.parent.mkdir(parents=True)
    cost.write_text(json.dumps({"model": {"median_ms": ms}, "busy": False}))
    return variant_of(
        folder / name,
        figures={"coco": {"AP": ap, "AP50": 2 * ap}},
        presence={"precision": ap, "recall": None},
        export={"model": {"size_mb": size_mb}},
        per_class=pd.DataFrame({"class": ["Bed", "Oven"], "coco.AP": [ap, None]}),
    )


def gained(ap: Estimate, **per_class: Estimate) -> Difference:
    """A difference on 150 photos of so many classes."""
    shared = Shared(tuple(map(str, range(150))), tuple(per_class), 150, len(per_class))
    return Difference(ap, ap, per_class, shared)


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (
            gained(GAIN, Bed=GAIN, Oven=UNKNOWN),
            "**Better**: AP rises by 0.020, beyond the noise of 150 test photos; of 2 classes 1 "
            "better.",
        ),
        (
            gained(LOSS, Bed=LOSS, Oven=GAIN),
            "**Worse**: AP falls by 0.020, beyond the noise of 150 test photos; of 2 classes 1 "
            "better and 1 worse.",
        ),
        (
            gained(NOISE, Bed=NOISE, Oven=NOISE),
            "**Undecided**: AP rises by 0.010, within the noise of 150 test photos.",
        ),
        (
            gained(NOTHING, Bed=NOTHING, Oven=NOTHING),
            "**No change**: both find the same in 150 test photos.",
        ),
        ("half: no table", "**Undecided**: AP changes by +0.100 as recorded, without an interval."),
    ],
)
def test_the_verdict_goes_by_the_interval(
    tmp_path: Path, difference: Difference | str, verdict: str
) -> None:
    found = decide(side(tmp_path, "main", 0.4), side(tmp_path, "branch", 0.5), difference)
    assert found.verdict == verdict
    assert ("No interval: half: no table." in found.notes) == isinstance(difference, str)


def test_only_classes_beyond_the_noise_have_a_line(tmp_path: Path) -> None:
    main, branch = side(tmp_path, "main", 0.4), side(tmp_path, "branch", 0.5)
    found = decide(main, branch, gained(NOISE, Bed=GAIN, Oven=NOISE))
    lines = {line.name: line for line in found.lines}
    assert [name for name in lines if name.startswith("AP of")] == ["AP of Bed"]
    assert decide(main, branch, gained(GAIN, **{"a|b": GAIN})).lines[2].name == r"AP of a\|b"
    bed, ap = lines["AP of Bed"], lines["AP"]
    assert (bed.base, bed.branch, bed.meaning) == ("0.400", "0.500", "**better**")
    assert bed.change == "+0.020 (+0.010 to +0.030)"
    assert ap.meaning == "noise"
    assert (lines["Presence precision"].base, lines["Presence recall"].base) == (
        "40.0 %",
        NOT_KNOWN,
    )


def test_a_smaller_file_is_in_the_verdict_and_latency_has_its_caveat(tmp_path: Path) -> None:
    main = side(tmp_path, "main", 0.4)
    branch = side(tmp_path, "branch", 0.4, size_mb=3.0, ms=8.0)
    found = decide(main, branch, gained(NOISE, Bed=NOISE))
    assert found.verdict.endswith("of 150 test photos; model.onnx is 25% smaller.")
    (latency,) = [line for line in found.lines if line.name == "`model.onnx`, latency"]
    assert (latency.base, latency.branch) == ("10.0 ms", "8.0 ms")
    assert any("two recordings" in note for note in found.notes)
    same = decide(main, side(tmp_path, "same", 0.4), gained(NOISE, Bed=NOISE))
    assert not any("two recordings" in note for note in same.notes)


def test_what_is_missing_or_older_is_said(tmp_path: Path) -> None:
    nothing = replace(variant_of(tmp_path, "main"), missing=("metrics/evaluate.json",))
    older = variant_of(tmp_path, "older", figures={"AP": 0.4})
    found = decide(nothing, older, "main: no table")
    assert found.verdict == "**Undecided**: main has no AP recorded."
    assert "main lacks metrics/evaluate.json." in found.notes
    assert "older is of an older version, whose AP is COCO's." in found.notes
    assert {line.base for line in found.lines} == {NOT_KNOWN}
