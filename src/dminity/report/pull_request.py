"""What a pull request changes, for those who decide on it: Markdown, and pictures beside it.

It fits into a comment of GitHub. Pictures are files, as a comment takes none that are inside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dminity.core.errors import some
from dminity.core.files import replacing_folder
from dminity.detection.detections import SHOWN_SCORE
from dminity.report.changed_photos import (
    ChangedPhoto,
    NoPhoto,
    Sides,
    both_sides,
    most_changed,
    side_by_side,
)
from dminity.report.data_changes import changed_classes, changed_counts
from dminity.report.decision import RULES, Decision, decide, signed
from dminity.report.markdown import escaped, folded, table
from dminity.report.paired import Difference, NothingShared, Pairing
from dminity.report.variants import SHORT, NotAtHand, Variant

REPORT = "report.md"
PICTURES = "pictures"
MOST_PICTURES = 6
SHOWN_STAGES = 3
# A comment takes 65,536 characters; what posts it may add some.
MOST_CHARACTERS = 60_000


@dataclass(frozen=True)
class Diff:
    """What a program says of the change: its command, and its Markdown or why there is none."""

    command: str
    text: str


@dataclass(frozen=True)
class _Comparison:
    """What both sides found, on what both know; `reason`: why that cannot be told."""

    difference: Difference | None = None
    sides: Sides | None = None
    reason: str = ""


def write_report(
    folder: Path, base: Variant, branch: Variant, stale: Sequence[str], diffs: Sequence[Diff]
) -> str:
    """Write the folder, whole or not at all.

    Args:
        folder: for the report and its pictures.
        base: what the branch is to be merged into, as it was where the branch left it.
        branch: with the change.
        stale: its stages that ran with other code or parameters than it has.
        diffs: what is put at the end, folded.

    Returns:
        The verdict, in Markdown.
    """
    compared = _compare(base, branch)
    decision = decide(base, branch, compared.difference or compared.reason)
    if stale:
        decision = replace(decision, verdict=f"{_out_of_date(stale)} {decision.verdict}")
    with replacing_folder(folder) as unfinished:
        sections = [
            _decided(decision, base, branch),
            _photos(unfinished / PICTURES, compared.sides, base, branch),
            _data(base, branch),
            folded("How this is decided", RULES),
        ]
        room = MOST_CHARACTERS - sum(map(len, sections))
        text = "\n\n".join(filter(None, (*sections, *_folded(diffs, room))))
        (unfinished / REPORT).write_text(f"{text}\n", encoding="utf-8")
    return decision.verdict


def _out_of_date(stale: Sequence[str]) -> str:
    """What is said before a verdict that goes by results of something else."""
    return (
        f"**Out of date**: code or parameters of {some(stale, SHOWN_STAGES)} changed after these "
        "figures were made; `dvc repro` and a commit bring new ones. As recorded:"
    )


def _compare(base: Variant, branch: Variant) -> _Comparison:
    """Compare what both found, if that can be had."""
    pairing = Pairing()
    try:
        difference = pairing.difference([branch], [base])
    except (NotAtHand, NothingShared) as error:
        return _Comparison(reason=str(error))
    tables = pairing.tables
    sides = both_sides(
        tables[base].truths, tables[base].detections, tables[branch].detections, difference.shared
    )
    return _Comparison(difference, sides)


def _decided(decision: Decision, base: Variant, branch: Variant) -> str:
    """What a reviewer reads first: the verdict and its table."""
    columns = ("", escaped(base.name), escaped(branch.name), "change (95 % interval)", "")
    rows = [
        (line.name, line.base, line.branch, line.change, line.meaning) for line in decision.lines
    ]
    notes = "\n".join(f"- {note}" for note in decision.notes)
    parts = (
        f"## Detector: {escaped(branch.name)} against {escaped(base.name)} ({base.rev[:SHORT]})",
        decision.verdict,
        table(columns, rows, numeric=(False, True, True, True, False)),
        notes,
    )
    return "\n\n".join(filter(None, parts))


def _photos(folder: Path, sides: Sides | None, base: Variant, branch: Variant) -> str:
    """Draw the photos that changed most, and say which they are; empty if that is not known."""
    if not sides:
        return ""
    changed = most_changed(sides, MOST_PICTURES)
    if not changed:
        return f"### Photos\n\nWhat is shown, from a score of {SHOWN_SCORE:g} on, is the same."
    rows = [
        (
            f"`{photo.image_id}`",
            f"{photo.right[0]} → {photo.right[1]} of {photo.boxes}",
            f"{photo.wrong[0]} → {photo.wrong[1]}",
        )
        for photo in changed
    ]
    found = table(("photo", "found", "false alarms"), rows, numeric=(False, True, True))
    drawn = _draw(folder, changed, sides, (base, branch))
    return f"### Photos that changed most\n\n{found}\n\n{drawn}"


def _draw(
    folder: Path, changed: list[ChangedPhoto], sides: Sides, variants: tuple[Variant, Variant]
) -> str:
    """Draw photos as both sides see them; say where they are, or why they are not there."""
    folder.mkdir()
    names = tuple(variant.name for variant in variants)
    for photo in changed:
        try:
            picture = side_by_side(photo, sides, names, variants[-1])
        except (NotAtHand, NoPhoto) as error:
            return f"- Not drawn: {escaped(str(error))}"
        (folder / f"{photo.image_id}.jpg").write_bytes(picture)
    return (
        f"`{folder.name}/` shows them side by side, from a score of {SHOWN_SCORE:g} on: "
        "blue is right, orange wrong, white missed."
    )


def _data(base: Variant, branch: Variant) -> str:
    """What changed in the data."""
    if not base.data or not branch.data:
        return ""
    counts = changed_counts(base.data, branch.data)
    rows = [
        (name, str(before), str(after), signed(after - before, 0)) for name, before, after in counts
    ]
    columns = ("", escaped(base.name), escaped(branch.name), "change")
    parts = [table(columns, rows, numeric=(False, True, True, True))] if rows else []
    parts += [f"- {escaped(line)}" for line in changed_classes(base.data, branch.data)]
    text = "\n\n".join(parts) or "Photos and boxes of each class are as many as before."
    return f"### Data\n\n{text}"


def _folded(diffs: Sequence[Diff], room: int) -> list[str]:
    """The diffs in their order, as much of them as there is room for, in characters."""
    found = []
    for diff in diffs:
        text = _shortened(diff.text, room)
        room = max(0, room - len(text))
        found.append(folded(f"<code>{diff.command}</code>", text))
    return found


def _shortened(text: str, room: int) -> str:
    """The lines that there is room for; how many others there are, if any."""
    if len(text) <= room:
        return text
    kept = text[:room].rpartition("\n")[0]
    left = len(text.splitlines()) - len(kept.splitlines())
    return f"{kept}\n\nA comment has no room for {left} more lines.".strip()
