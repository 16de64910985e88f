"""Whether a branch makes the detector better: what changed in a table, and a verdict by rules.

The verdict goes by the paired interval of COCO's AP and by nothing else (`RULES`). Sizes are those
of the files; milliseconds are what each side recorded when it was exported.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dminity.core.stage import METRICS, ONNX, ONNX_INT8
from dminity.evaluation.intervals import Estimate
from dminity.report.markdown import escaped
from dminity.report.paired import Difference
from dminity.report.variants import NotAtHand, Variant

EXPORT_COST = METRICS / "export_cost.json"
RULES = (
    "The change is better, or worse, if the 95 % interval of the difference in COCO's AP leaves "
    "out 0, and undecided if it holds 0. The interval is paired: each resample of the test photos "
    "is the same for both. Of classes only those are listed whose own interval leaves out 0; by "
    "chance alone, that happens to one class in twenty."
)
# Of a file's size, smaller changes are not worth a word of the verdict.
WORTH_SAYING = 0.01
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Line:
    """A figure on both sides; texts, empty where it is not known."""

    name: str
    base: str
    branch: str
    change: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class Decision:
    """One sentence, its table, and what has to be known to believe them."""

    verdict: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...]


def decide(base: Variant, branch: Variant, difference: Difference | str) -> Decision:
    """Compare a branch with its base.

    Args:
        base: what it is to be merged into.
        branch: with the change.
        difference: what the branch gains, or why that cannot be told.
    """
    costs = _recorded_cost(base), _recorded_cost(branch)
    lines = (
        *_precision(base, branch, difference),
        *_presence(base, branch),
        *_files(base, branch, costs),
    )
    return Decision(
        _verdict(base, branch, difference),
        lines,
        tuple(_notes(base, branch, difference, costs)),
    )


def signed(value: float, decimals: int = 3) -> str:
    """A change, with its sign; one that rounds to nothing has none.

    >>> signed(0.0312), signed(-0.2, 1) == f"{MINUS}0.2", signed(-0.0001)
    ('+0.031', True, '0.000')
    """
    digits = f"{abs(value):.{decimals}f}"
    if not float(digits):
        return digits
    return f"{'+' if value > 0 else MINUS}{digits}"


def _is_same(change: Estimate) -> bool:
    """Whether no photo was seen in another way."""
    return change.value == change.low == change.high == 0


def _beyond_noise(difference: Difference) -> dict[str, Estimate]:
    """The classes whose change other photos would not turn around, largest change first."""
    known = {
        name: change
        for name, change in difference.per_class.items()
        if change.value == change.value and not change.is_noise()
    }
    return dict(sorted(known.items(), key=lambda item: -abs(item[1].value)))


def _verdict(base: Variant, branch: Variant, difference: Difference | str) -> str:
    """The change in one sentence."""
    before, after = base.figure("coco.AP"), branch.figure("coco.AP")
    for variant, figure in ((base, before), (branch, after)):
        if figure is None:
            return f"**Undecided**: {escaped(variant.name)} has no AP recorded."
    if isinstance(difference, str):
        gain = signed((after or 0) - (before or 0))
        return f"**Undecided**: AP changes by {gain} as recorded, without an interval."
    photos = f"{len(difference.shared.image_ids)} test photos"
    if _is_same(difference.ap):
        kind, reason = "No change", f"both find the same in {photos}"
    elif difference.ap.is_noise():
        kind, reason = "Undecided", f"{_gain(difference.ap)}, within the noise of {photos}"
    else:
        kind = "Better" if difference.ap.value > 0 else "Worse"
        reason = f"{_gain(difference.ap)}, beyond the noise of {photos}"
    return f"**{kind}**: {reason}{_of_classes(difference)}{_of_size(base, branch)}."


def _gain(change: Estimate) -> str:
    """How much AP changes, in words.

    >>> _gain(Estimate(0.02, 0.01, 0.03)), _gain(Estimate(-0.0001, -0.01, 0.01))
    ('AP rises by 0.020', 'AP changes by less than 0.001')
    """
    if not float(f"{change.value:.3f}"):
        return "AP changes by less than 0.001"
    return f"AP {'rises' if change.value > 0 else 'falls'} by {abs(change.value):.3f}"


def _of_classes(difference: Difference) -> str:
    """How many classes gain and lose."""
    changes = _beyond_noise(difference).values()
    gains = sum(change.value > 0 for change in changes)
    counts = [
        f"{count} {verdict}"
        for count, verdict in ((gains, "better"), (len(changes) - gains, "worse"))
        if count
    ]
    classes = len(difference.shared.classes)
    # Of a single one AP is all.
    if not counts or classes == 1:
        return ""
    return f"; of {classes} classes {' and '.join(counts)}"


def _of_size(base: Variant, branch: Variant) -> str:
    """By how much the model's file grows or shrinks."""
    before, after = (_size(each, ONNX) for each in (base, branch))
    if not before or not after or abs(after / before - 1) < WORTH_SAYING:
        return ""
    share = abs(after / before - 1)
    return f"; {ONNX.name} is {share:.0%} {'larger' if after > before else 'smaller'}"


def _precision(base: Variant, branch: Variant, difference: Difference | str) -> Iterator[Line]:
    """AP and AP50, and the classes that changed beyond the noise."""
    if isinstance(difference, str):
        for name in ("AP", "AP50"):
            before, after = (each.figure(f"coco.{name}") for each in (base, branch))
            yield _plain(name, before, after, 3)
        return
    for name, change in (("AP", difference.ap), ("AP50", difference.ap50)):
        before, after = (each.figure(f"coco.{name}") for each in (base, branch))
        yield _estimated(name, before, after, change)
    for name, change in _beyond_noise(difference).items():
        before, after = (_class_ap(each, name) for each in (base, branch))
        yield _estimated(f"AP of {escaped(name)}", before, after, change)


def _estimated(name: str, before: float | None, after: float | None, change: Estimate) -> Line:
    """A figure with the interval of its change."""
    if _is_same(change):
        meaning = "the same"
    elif change.is_noise():
        meaning = "noise"
    else:
        meaning = "**better**" if change.value > 0 else "**worse**"
    limits = f"{signed(change.low)} to {signed(change.high)}"
    return Line(
        name, _number(before, 3), _number(after, 3), f"{signed(change.value)} ({limits})", meaning
    )


def _class_ap(variant: Variant, name: str) -> float | None:
    """The AP of a class, as recorded."""
    rows = variant.per_class
    if not {"class", "coco.AP"} <= set(rows.columns):
        return None
    found = rows.loc[rows["class"] == name, "coco.AP"].dropna()
    return float(found.iloc[0]) if len(found) else None


def _presence(base: Variant, branch: Variant) -> Iterator[Line]:
    """Whether a photo shows something: how often that is right, and how often it is said."""
    for name, key in (("Presence precision", "precision"), ("Presence recall", "recall")):
        before, after = (_percent(each.presence.get(key)) for each in (base, branch))
        yield _plain(name, before, after, 1, " %")


def _percent(value: Any) -> float | None:
    """A share, if it is one."""
    return value * 100 if isinstance(value, float | int) else None


def _files(
    base: Variant, branch: Variant, costs: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> Iterator[Line]:
    """Size and time of the model and of its small version."""
    for path in (ONNX, ONNX_INT8):
        yield _plain(f"`{path.name}`, size", _size(base, path), _size(branch, path), 2, " MB")
    for path in (ONNX, ONNX_INT8):
        before, after = (_number_in(cost, path.stem, "median_ms") for cost in costs)
        yield _plain(f"`{path.name}`, latency", before, after, 1, " ms")


def _size(variant: Variant, path: Path) -> float | None:
    """Megabytes of a file, as recorded."""
    return _number_in(variant.export, path.stem, "size_mb")


def _number_in(figures: Mapping[str, Any], section: str, name: str) -> float | None:
    """A number of a section, if both are there."""
    found = figures.get(section)
    value = found.get(name) if isinstance(found, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def _recorded_cost(variant: Variant) -> Mapping[str, Any]:
    """What `export` measured; empty if that is not there."""
    try:
        found = json.loads(variant.read(EXPORT_COST))
    except (NotAtHand, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _plain(
    name: str, before: float | None, after: float | None, decimals: int, unit: str = ""
) -> Line:
    """A figure without an interval."""
    change = "" if before is None or after is None else signed(after - before, decimals)
    return Line(name, _number(before, decimals, unit), _number(after, decimals, unit), change)


def _number(value: float | None, decimals: int, unit: str = "") -> str:
    """A figure as text; a dash where there is none."""
    return "\N{EN DASH}" if value is None else f"{value:.{decimals}f}{unit}"


def _notes(
    base: Variant,
    branch: Variant,
    difference: Difference | str,
    costs: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> Iterator[str]:
    """What a reader has to know of the table, in Markdown."""
    if isinstance(difference, str):
        yield f"No interval: {escaped(difference)}."
    else:
        if limits := str(difference.shared):
            yield f"Changes of AP are {limits}; the figures beside them are of all of each side."
        if not _is_same(difference.ap):
            yield (
                "The intervals are for other photos. Another training of the same recipe may "
                "differ by more: `dminity seeds` tells how much."
            )
    for variant in (base, branch):
        if variant.missing:
            yield f"{escaped(variant.name)} lacks {', '.join(variant.missing)}."
        if variant.is_older:
            yield f"{escaped(variant.name)} is of an older version, whose AP is COCO's."
    if all(costs) and costs[0] != costs[1]:
        text = "Latency is of two recordings, not of one interleaved run"
        if any(cost.get("busy") for cost in costs):
            text += ", and a machine was busy"
        yield f"{text}: `dminity compare` measures both in turn."
