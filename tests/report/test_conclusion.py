"""The rules of the conclusion: known answers, and whatever may be missing."""

import math

import pytest

from dminity.evaluation.intervals import Estimate
from dminity.report.conclusion import (
    Candidate,
    conclude,
    noise,
    noise_of_seeds,
    pros_and_cons,
)
from dminity.report.recipes import OverSeeds
from dminity.report.seed_noise import SeedNoise

ONCE = math.nan


def candidate(
    name: str,
    ap: float | None,
    size_mb: float | None = None,
    total_ms: float | None = None,
    gain: tuple[float, float, float] | None = None,
    outside: str = "",
) -> Candidate:
    """A variant that was trained once."""
    known = Estimate(*gain) if gain else None
    over_seeds = None if ap is None else OverSeeds(ap, ONCE, 1)
    return Candidate(name, over_seeds, size_mb, total_ms, known, known, outside, outside)


NANO = candidate("nano", 0.50, 4, 4.0, (-0.05, -0.07, -0.03))
TINY = candidate("tiny", 0.54, 20, 9.0, (-0.01, -0.03, 0.01))
SMALL = candidate("small", 0.55, 36, 24.0)


def test_the_smallest_within_the_noise_and_the_fastest_above_the_floor() -> None:
    found = conclude([NANO, TINY, SMALL], "small")
    assert (found.best, found.smallest, found.fastest) == ("small", "tiny", "nano")
    assert found.floor == pytest.approx(0.495)
    assert found.sentences[0] == "small has the highest AP of 3, 0.550."
    assert "tiny is the smallest whose AP is within the noise of the best" in found.sentences[1]
    assert found.pros_and_cons == (
        "small: AP 0.550, 36.0 MB, 24.0 ms; the others are compared with it.",
        "tiny: AP within the noise of small (-0.030 to +0.010), 56 % of the file, 38 % of the "
        "milliseconds.",
        "nano: AP 0.050 below small (0.030 to 0.070), 11 % of the file, 17 % of the milliseconds.",
    )


def test_a_floor_of_one_s_own() -> None:
    assert conclude([NANO, TINY, SMALL], "small", 0.52).fastest == "tiny"
    nobody = conclude([NANO, TINY, SMALL], "small", 0.9)
    assert nobody.fastest == ""
    assert "no variant reaches it" in " ".join(nobody.sentences)
    assert "at least 0.9." in " ".join(nobody.rules)


def test_larger_and_slower_variants_are_multiples() -> None:
    gain = candidate("small", 0.55, 36, 24.0, (0.05, 0.03, 0.07))
    assert pros_and_cons(gain, NANO, None) == (
        "small: AP 0.050 above nano (0.030 to 0.070), 9 times the file, 6 times the milliseconds."
    )


def test_ties_go_to_the_smaller_then_the_faster_then_by_name() -> None:
    equal = (0.0, -0.01, 0.01)
    tied = [candidate(name, 0.5, 4, 4.0, equal) for name in ("b", "a")]
    assert conclude(tied, "a").best == "a"
    slower = candidate("slower", 0.5, 4, 9.0, equal)
    smaller = candidate("smaller", 0.5, 3, 9.0, equal)
    found = conclude([slower, *tied, smaller], "a")
    assert (found.best, found.smallest, found.fastest) == ("smaller", "smaller", "a")


def test_sizes_and_times_within_5_percent_are_the_same() -> None:
    noise = (-0.01, -0.02, 0.01)
    variants = [
        candidate("best", 0.55, 36, 24.0),
        candidate("better", 0.54, 4.1, 4.1, noise),
        candidate("worse", 0.53, 4.0, 4.0, noise),
    ]
    found = conclude(variants, "best")
    assert (found.smallest, found.fastest) == ("better", "better")


def test_a_single_variant_leaves_no_choice() -> None:
    found = conclude([NANO], "nano")
    assert (found.best, found.smallest, found.fastest) == ("nano",) * 3
    assert found.sentences[0] == "nano is the only variant to choose from, with AP 0.500."


@pytest.mark.parametrize("variants", [[], [candidate("a", None, 4, 4.0), candidate("b", None)]])
def test_without_an_ap_there_is_nothing_to_choose_by(variants: list[Candidate]) -> None:
    found = conclude(variants, "a")
    assert (found.best, found.smallest, found.fastest) == ("", "", "")
    assert found.sentences == (
        "No variant has an AP to choose by: run `dvc repro evaluate`, or name others.",
    )


def test_what_is_not_known_is_said() -> None:
    bare = [candidate("a", 0.5), candidate("b", 0.4), candidate("c", None)]
    found = conclude(bare, "a")
    said = " ".join(found.sentences)
    assert "the size of no model.onnx is known" in said
    assert "no time is measured" in said
    assert found.pros_and_cons[1:] == (
        "b: AP 0.100 below a (no interval).",
        "c: AP not known.",
    )
    # A difference without an interval is not called noise.
    assert conclude([candidate("a", 0.5, 9), candidate("b", 0.499, 4)], "a").smallest == "a"


def test_no_number_as_a_gain_is_no_gain() -> None:
    nothing = (math.nan,) * 3
    variants = [candidate("a", 0.5, 9, 9.0), candidate("b", 0.49, 4, 4.0, nothing)]
    found = conclude(variants, "a")
    assert found.smallest == "a"
    assert "b: AP 0.010 below a" in found.pros_and_cons[1]


def test_others_than_most_are_not_ranked() -> None:
    bathtub = candidate("bathtub", 0.9, 4, 4.0, outside="it knows one class")
    found = conclude([NANO, candidate("tiny", 0.4), bathtub], "nano")
    assert found.best == "nano"
    assert "bathtub is not ranked: it knows one class." in found.sentences
    (sentence,) = conclude([NANO, bathtub], "nano").sentences
    assert sentence.startswith("There is nothing to rank: bathtub and nano were not evaluated")


def test_ap_on_other_classes_is_not_put_beside() -> None:
    bathtub = candidate("bathtub", 0.9, 4, 4.0, outside="it knows one class")
    assert pros_and_cons(bathtub, NANO, SeedNoise(0.5, 9)) == (
        "bathtub: AP 0.900 on other photos or classes than nano, a file as large, as fast."
    )
    # Nor the other way round; and seeds differ otherwise there.
    assert "AP 0.540 on other photos or classes than bathtub" in pros_and_cons(
        candidate("tiny", 0.54), bathtub, None
    )
    assert noise(bathtub, NANO, SeedNoise(0.5, 9), None) == ""
    shared = candidate("bathtub", 0.9, gain=(0.2, 0.1, 0.3), outside="it knows one class")
    assert pros_and_cons(shared, NANO, SeedNoise(0.5, 9)) == (
        "bathtub: AP 0.200 above nano on what both know (0.100 to 0.300)."
    )


def test_what_is_beside_another_is_no_gain_over_the_best() -> None:
    # Beside the best it is noise; beside the reference nothing is known.
    other = Candidate("other", OverSeeds(0.5, ONCE, 1), gain=Estimate(-0.01, -0.02, 0.01), test="")
    assert "AP 0.100 above c (no interval)" in pros_and_cons(other, candidate("c", 0.4), None)


def test_the_spread_of_seeds_is_noise_too() -> None:
    gain = Estimate(-0.05, -0.06, -0.04)
    several = Candidate("several", OverSeeds(0.50, 0.02, 5), 36, 24.0)
    once = Candidate("once", OverSeeds(0.45, ONCE, 1), 4, 4.0, gain, gain)
    assert noise_of_seeds([several, once]) == SeedNoise(0.02, 4)
    # 2.776 times 0.02 times √(1/5 + 1) = 0.061: more than 0.05.
    found = conclude([several, once], "several")
    assert found.smallest == "once"
    assert (
        "AP 0.050 below several (0.040 to 0.060), within the noise of seeds"
        in found.pros_and_cons[1]
    )
    assert "differ by up to 0.079 in 19 of 20 cases" in " ".join(found.sentences)
    # Of many seeds each, the mean is surer: 2.04 times 0.02 times √(2/30) = 0.011.
    many = [
        Candidate(each.name, OverSeeds(each.ap.mean, 0.02, 30), each.size_mb, None, each.gain)
        for each in (several, once)
        if each.ap
    ]
    assert conclude(many, "several").smallest == "several"


def test_seeds_of_what_is_not_ranked_say_nothing_of_the_others() -> None:
    outside = Candidate("bathtub", OverSeeds(0.9, 0.1, 9), test=1, outside="it knows one class")
    assert noise_of_seeds([outside, NANO]) is None
