"""What `listing` prints; docs/product.md has the schema."""

import json
import sys
from collections.abc import Sequence

from dminity.commands.text_table import aligned
from dminity.runtime.answers import home_answer, unread
from dminity.runtime.finding import Failed
from dminity.runtime.inputs import printable
from dminity.runtime.listing import Home, Listed

HEADS = ("home", "amenity", "at least", "confidence", "best photo", "claim")
HOME, COUNT, CONFIDENCE, CLAIM = 0, 2, 3, 5


def print_table(homes: Sequence[Home], _: Sequence[Failed]) -> None:
    """A row for each amenity of each home; no column that says nothing."""
    rows = [HEADS]
    for home in homes:
        listed = [_cells(home, amenity) for amenity in home.amenities]
        rows += listed or [(printable(home.name), "nothing", "", "", "", "")]
    without_claims = not any(listed.verdict for home in homes for listed in home.amenities)
    said = {HOME: len(homes) > 1, CLAIM: not without_claims}
    columns = [number for number in range(len(HEADS)) if said.get(number, True)]
    right = [columns.index(number) for number in (COUNT, CONFIDENCE)]
    # Whatever letters the terminal knows.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    lines = aligned([[row[number] for number in columns] for row in rows], right)
    print("\n".join(lines))


def _cells(home: Home, listed: Listed) -> tuple[str, str, str, str, str, str]:
    """An amenity as a row."""
    name, verdict = printable(home.name), listed.verdict or ""
    if listed.evidence is None:
        return name, listed.amenity, "", "", "", verdict
    count, confidence = str(listed.at_least), f"{listed.confidence:.2f}"
    return name, listed.amenity, count, confidence, printable(listed.evidence.photo), verdict


def print_json(homes: Sequence[Home], failed: Sequence[Failed]) -> None:
    """One object."""
    content = {"homes": [home_answer(home) for home in homes], "failed": unread(failed)}
    print(json.dumps(content, indent=2))
