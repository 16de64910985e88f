"""Markdown as GitHub shows it: tables, and text that stays what it is."""

import re
from collections.abc import Sequence

# What would be read as markup, or end a cell.
MARKUP = re.compile(r"([\\`*_\[\]<>|~#])")


def escaped(text: str) -> str:
    r"""A text in one line, as it stands.

    >>> escaped("a|b <c>")
    'a\\|b \\<c\\>'
    """
    return MARKUP.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]) -> str:
    """A table of cells that are Markdown already; numbers are aligned to the right."""
    rule = ["--:" if is_number else ":--" for is_number in numeric]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows))


def folded(summary: str, body: str) -> str:
    """What is shown when somebody asks for it."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"
