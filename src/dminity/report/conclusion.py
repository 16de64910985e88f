"""Which of several variants to take: by rules that are written beside what they conclude.

Pure: what is measured, read and drawn anew is done elsewhere.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dminity.evaluation.intervals import Estimate
from dminity.report.recipes import OverSeeds
from dminity.report.seed_noise import SeedNoise, seed_noise

FLOOR_SHARE = 0.9
# Within 5 %, sizes and times are the same: less than runs of one model differ by.
SAME = 1.05


@dataclass(frozen=True)
class Candidate:
    """A variant as the rules see it; None is not known.

    name. ap: COCO's, over its seeds. size_mb: of model.onnx. total_ms: from photo to detections.
    gain: of AP over the best, with other photos; against: over the reference; both on what the two
    know. test: what it was evaluated on; only APs of the same test can be compared as they are.
    outside: why it cannot be ranked with the others; empty if it can.
    """

    name: str
    ap: OverSeeds | None
    size_mb: float | None = None
    total_ms: float | None = None
    gain: Estimate | None = None
    against: Estimate | None = None
    test: object = None
    outside: str = ""


@dataclass(frozen=True)
class Conclusion:
    """What to take. Names; empty where nothing can be said.

    floor: the AP that the fastest has at least. sentences: the conclusion in words. pros_and_cons:
    one for each variant, against the reference. rules: those that it follows.
    """

    best: str
    smallest: str
    fastest: str
    floor: float | None
    sentences: tuple[str, ...]
    pros_and_cons: tuple[str, ...]
    rules: tuple[str, ...]


def ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that the rules choose from, best first: of equal AP the smaller, then the faster."""
    known = [each for each in candidates if not each.outside and each.ap is not None]
    return sorted(known, key=_rank)


def conclude(
    candidates: Sequence[Candidate], reference: str, floor: float | None = None
) -> Conclusion:
    """Choose by the rules, and say why.

    Args:
        candidates: all variants.
        reference: the name of the one that the others are said to be better or worse than.
        floor: the AP that the fastest must have; None: FLOOR_SHARE of the best.
    """
    order = ranked(candidates)
    if not order:
        sentence = "No variant has an AP to choose by: run `dvc repro evaluate`, or name others."
        return Conclusion("", "", "", floor, (sentence,), (), rules(floor))
    best, seeds = order[0], noise_of_seeds(candidates)
    lowest = FLOOR_SHARE * _ap(best) if floor is None else floor
    alike = [each for each in order if each is best or noise(each, best, seeds, each.gain)]
    smallest = _least(alike, lambda each: each.size_mb)
    fastest = _least([each for each in order if _ap(each) >= lowest], lambda each: each.total_ms)
    unranked = [each for each in candidates if each.outside]
    if unranked and len(order) == 1:
        sentences: tuple[str, ...] = (_about_no_ranking(best, unranked),)
    else:
        sentences = (
            _about_best(order),
            _about_smallest(smallest, best, len(alike), len(order) - 1),
            _about_fastest(fastest, lowest, order) if len(order) > 1 or floor is not None else "",
            _about_seeds(seeds) if len(order) > 1 else "",
            *(f"{each.name} is not ranked: {each.outside}." for each in unranked),
        )
    others = [each for each in candidates if each.name == reference] or [best]
    listed = [*order, *(each for each in candidates if each not in order)]
    return Conclusion(
        best=best.name,
        smallest=smallest.name if smallest else "",
        fastest=fastest.name if fastest else "",
        floor=lowest,
        sentences=tuple(filter(None, sentences)),
        pros_and_cons=tuple(pros_and_cons(each, others[0], seeds) for each in listed),
        rules=rules(floor),
    )


def rules(floor: float | None) -> tuple[str, ...]:
    """The rules, as users read them."""
    least = f"{100 * FLOOR_SHARE:.0f} % of the best" if floor is None else f"{floor:g}"
    return (
        "AP is COCO's, on the test split. Of trainings that differ in train.seed only it is the "
        "mean, and they count as one variant.",
        "Ranked are the variants that were evaluated on the same photos and classes as most are; "
        "of as many, on those with the most classes, then the most photos.",
        "A difference is noise if its interval of 95 % over photos, both variants on the same "
        "ones, holds 0; or if it is no more than the means of n and m trainings differ by in 19 of "
        "20 cases by their seeds alone: Student's t times the standard deviation of seeds times "
        "√(1/n + 1/m), where ranked variants with several seeds tell that deviation. Where neither "
        "is known, it is not called noise.",
        "The smallest is the smallest file (model.onnx) of those whose AP is the best or differs "
        "from it by noise.",
        f"The fastest has the shortest median time of those whose AP is at least {least}.",
        "Sizes and times that differ by 5 % or less are the same. Of the same, the one of higher "
        "AP is taken, then the smaller, then the faster.",
    )


def noise_of_seeds(candidates: Sequence[Candidate]) -> SeedNoise | None:
    """How far seeds make AP differ on what is ranked; None if unknown."""
    return seed_noise(each.ap for each in ranked(candidates) if each.ap)


def noise(each: Candidate, other: Candidate, seeds: SeedNoise | None, gain: Estimate | None) -> str:
    """What might explain the difference of two APs: `photos`, `seeds`, or neither of them: empty.

    gain: what the first gains over the other one; None if that is not known.
    """
    if gain is not None and math.isnan(gain.value):
        gain = None
    if gain is not None and gain.is_noise():
        return "photos"
    # On other classes, seeds make another difference.
    if seeds is None or each.ap is None or other.ap is None or each.test != other.test:
        return ""
    apart = _ap(each) - _ap(other) if gain is None else gain.value
    return "seeds" if abs(apart) <= seeds.apart(each.ap.count, other.ap.count) else ""


def pros_and_cons(each: Candidate, reference: Candidate, seeds: SeedNoise | None) -> str:
    """What speaks for a variant and what against it, beside the reference, in a sentence."""
    if each is reference:
        known = "unknown AP" if each.ap is None else f"AP {_ap(each):.3f}"
        size = "" if each.size_mb is None else f", {each.size_mb:.1f} MB"
        spent = "" if each.total_ms is None else f", {each.total_ms:.1f} ms"
        return f"{each.name}: {known}{size}{spent}; the others are compared with it."
    parts = [
        _ap_beside(each, reference, seeds),
        _times(each.size_mb, reference.size_mb, "the file", "a file as large"),
        _times(each.total_ms, reference.total_ms, "the milliseconds", "as fast"),
    ]
    return f"{each.name}: {', '.join(filter(None, parts))}."


def _ap_beside(each: Candidate, reference: Candidate, seeds: SeedNoise | None) -> str:
    """The AP of a variant beside that of the reference."""
    gain = each.against
    why = noise(each, reference, seeds, gain)
    explained = ", within the noise of seeds" if why == "seeds" else ""
    if gain is None or math.isnan(gain.value):
        if each.ap is None:
            return "AP not known"
        if reference.ap is None:
            return f"AP {_ap(each):.3f}"
        if each.test != reference.test:
            return f"AP {_ap(each):.3f} on other photos or classes than {reference.name}"
        return f"{_above(_ap(each) - _ap(reference), reference)} (no interval){explained}"
    where = "" if each.test == reference.test else " on what both know"
    if why == "photos":
        limits = f"{gain.low:+.3f} to {gain.high:+.3f}"
        return f"AP within the noise of {reference.name}{where} ({limits})"
    limits = f"{min(_sizes(gain)):.3f} to {max(_sizes(gain)):.3f}"
    return f"{_above(gain.value, reference)}{where} ({limits}){explained}"


def _sizes(gain: Estimate) -> tuple[float, float]:
    """The ends of an interval that lies on one side of 0, without their sign."""
    return abs(gain.low), abs(gain.high)


def _above(apart: float, reference: Candidate) -> str:
    """How far one AP is from another."""
    where = "above" if apart >= 0 else "below"
    return f"AP {abs(apart):.3f} {where} {reference.name}"


def _times(value: float | None, other: float | None, what: str, same: str) -> str:
    """A size or time as a multiple of another; empty if one is unknown.

    >>> [_times(value, 4.0, "the file", "as large") for value in (4.1, 1.0, 5.0, 500.0)]
    ['as large', '25 % of the file', '1.2 times the file', '125 times the file']
    """
    if not value or not other:
        return ""
    ratio = value / other
    if 1 / SAME <= ratio <= SAME:
        return same
    if ratio < 1:
        return f"{100 * ratio:.2g} % of {what}"
    return f"{ratio:.2g} times {what}" if ratio < 10 else f"{ratio:.0f} times {what}"


def _about_no_ranking(best: Candidate, unranked: Sequence[Candidate]) -> str:
    """Why there is nothing to choose from."""
    names = " and ".join(each.name for each in unranked)
    return (
        f"There is nothing to rank: {names} and {best.name} were not evaluated on the same photos "
        "and classes. How they compare on what both know is said below."
    )


def _about_best(order: Sequence[Candidate]) -> str:
    """Which has the highest AP."""
    best = order[0]
    if len(order) == 1:
        return f"{best.name} is the only variant to choose from, with AP {_ap(best):.3f}."
    return f"{best.name} has the highest AP of {len(order)}, {_ap(best):.3f}."


def _about_smallest(smallest: Candidate | None, best: Candidate, alike: int, others: int) -> str:
    """Which is the smallest within the noise of the best."""
    if not others:
        return ""
    if smallest is None:
        return "Which is the smallest cannot be said: the size of no model.onnx is known."
    if smallest is not best:
        share = _times(smallest.size_mb, best.size_mb, "its file", "a file as large")
        return (
            f"{smallest.name} is the smallest whose AP is within the noise of the best, with "
            f"{smallest.size_mb:.1f} MB ({share})."
        )
    if alike > 1:
        return f"It is also the smallest of the {alike} within its noise."
    return "No other is within its noise."


def _about_fastest(fastest: Candidate | None, lowest: float, order: Sequence[Candidate]) -> str:
    """Which is the fastest above the floor."""
    if fastest is None:
        above = any(_ap(each) >= lowest for each in order)
        why = "no time is measured" if above else "no variant reaches it"
        return f"Which is the fastest with an AP of at least {lowest:.3f} cannot be said: {why}."
    return (
        f"{fastest.name} is the fastest with an AP of at least {lowest:.3f}: "
        f"{fastest.total_ms:.1f} ms a photo, AP {_ap(fastest):.3f}."
    )


def _about_seeds(seeds: SeedNoise | None) -> str:
    """How far trainings differ by themselves."""
    if seeds is None:
        return (
            "Too few trainings differ in train.seed only to tell how far seeds spread: intervals "
            "are over photos, so that a smaller difference than a seed makes may look certain."
        )
    return (
        "Trainings that differ in train.seed only have a standard deviation of "
        f"{seeds.deviation:.3f} AP: by luck alone, single ones differ by up to "
        f"{seeds.apart(1, 1):.3f} in 19 of 20 cases."
    )


def _least(
    candidates: Sequence[Candidate], value: Callable[[Candidate], float | None]
) -> Candidate | None:
    """The one whose size or time is least; of those that count as the same, that of higher AP."""
    known = [each for each in candidates if value(each) is not None]
    least = min((_or_inf(value(each)) for each in known), default=0.0)
    same = [each for each in known if _or_inf(value(each)) <= SAME * least]
    return min(same, key=_rank, default=None)


def _rank(candidate: Candidate) -> tuple[float, float, float, str]:
    """What orders candidates: AP, then size, then time, then the name."""
    size_mb, total_ms = _or_inf(candidate.size_mb), _or_inf(candidate.total_ms)
    return -_ap(candidate), size_mb, total_ms, candidate.name


def _ap(candidate: Candidate) -> float:
    """The AP of a candidate that has one."""
    return candidate.ap.mean if candidate.ap else math.nan


def _or_inf(value: float | None) -> float:
    """A size or time; those that are not known come last."""
    return math.inf if value is None else value
