"""Tables in plain text, and in Markdown."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows of cells as lines whose columns are aligned, those numbered in `right` at their end.

    >>> aligned([("Bed", "2"), ("Fireplace", "10")], right=[1])
    ['Bed         2', 'Fireplace  10']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def markdown_table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """The same as lines of Markdown; the first row is the head.

    >>> markdown_table([("class", "boxes"), ("Bed", "2")], right=[1])
    ['| class | boxes |', '|---|---:|', '| Bed | 2 |']
    """
    rules = ("---:" if number in right else "---" for number in range(len(rows[0])))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], f"|{'|'.join(rules)}|", *lines[1:]]
