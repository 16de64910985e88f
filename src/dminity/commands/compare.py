"""`dminity compare`: experiments and revisions beside each other, and which of them to take."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dminity.commands.numbers import number, whole
from dminity.core.errors import DminityError

if TYPE_CHECKING:
    from dminity.report.comparison import Comparison
    from dminity.report.variants import Variant

DESCRIPTION = """
Compare experiments, branches, tags and commits by their figures, with intervals of their
differences, and time their exported models in turn. The conclusion follows rules that it states:
docs/evaluation.md.
"""


class NothingToCompare(DminityError):
    """Nobody named a variant, and there is no experiment."""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "compare",
        help="experiments and revisions beside each other, and which to take",
        description=DESCRIPTION,
    )
    parser.add_argument(
        "names", nargs="*", metavar="EXP or REV",
        help="or `workspace` [all experiments, and what the workspace is based on]",
    )  # fmt: skip
    parser.add_argument(
        "--against", metavar="EXP or REV", help="compare the others with this one [the best]"
    )
    parser.add_argument(
        "--floor", type=_share, metavar="AP",
        help="AP that the fastest must have, 0-1 [90 %% of the best]",
    )  # fmt: skip
    parser.add_argument(
        "--threads", type=whole(1, 1024), metavar="N", help="of a model [as many as cores]"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER",
        help="write comparison.md, .html and .png there, in place of those that were there",
    )  # fmt: skip
    parser.set_defaults(run=run)


def _share(text: str) -> float:
    """An AP of the command line."""
    return number(text, lambda value: 0 <= value <= 1, "a number from 0 to 1")


def run(arguments: argparse.Namespace) -> None:
    """Print the comparison, and write its files.

    Raises:
        NoProject: if this is none.
        NothingToCompare: if there is no experiment.
        NoSuchRevision: if a name is none.
    """
    # They take seconds to import.
    from dminity.report.comparison import compare
    from dminity.report.comparison_page import write_files
    from dminity.runtime.finding import cores

    variants, against = _variants(arguments.names, arguments.against)
    found = compare(variants, against, arguments.floor, arguments.threads or cores())
    _print(found)
    # Afterwards, as a folder that cannot be written is no reason to lose the figures.
    if arguments.output:
        write_files(found, arguments.output)


def _variants(names: list[str], against: str | None) -> tuple[list["Variant"], "Variant | None"]:
    """What is to be compared, each name once; and which of them with."""
    from dminity.core.progress import Progress
    from dminity.report.variants import baseline, experiments, read_variant

    if not names:
        found = experiments()
        if not found:
            raise NothingToCompare(
                "there are no experiments: run one by `dvc exp run -S …`, or name branches, tags "
                "or commits (Git clones no experiments: `dvc exp pull origin` brings them)"
            )
        names = [baseline(), *found]
    every = list(dict.fromkeys([*names, *([] if against is None else [against])]))
    by_name: dict[str | None, Variant] = {
        name: read_variant(name) for name in Progress("read", every, len(every), unit="variant")
    }
    return list(by_name.values()), by_name.get(against)


def _print(found: "Comparison") -> None:
    """Two tables, the conclusion, and what could not be compared."""
    from dminity.commands.text_table import aligned
    from dminity.report.comparison_page import threads
    from dminity.report.comparison_tables import cost, quality
    from dminity.report.page import as_text

    for table in (quality(found), cost(found)):
        rows = [[as_text(cell) for cell in row] for row in (table.columns, *table.rows)]
        print(*aligned(rows, range(2, len(table.columns))), sep="\n", end="\n\n")
    if found.measured:
        print(f"One photo on the CPU, all variants in turn, with {threads(found)}.\n")
    print(*found.conclusion.sentences, sep="\n", end="\n\n")
    print(*found.conclusion.pros_and_cons, sep="\n")
    if found.notes:
        print("", *(f"note: {note}" for note in found.notes), sep="\n")
