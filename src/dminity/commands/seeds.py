"""`dminity seeds`: the same experiment with several seeds, and how far its figures spread."""

import argparse
import re
from pathlib import Path
from typing import Any

from dminity.commands.numbers import whole

MOST = 1000
LONGEST_WORDS = 100
DESCRIPTION = """
Train the experiment of params.yaml with several seeds, train.seed counting up from its value there,
as experiments of DVC, one after another, in a copy of the project. What is finished is not trained
again: interrupt it, and run it again to go on. Prints every figure, their mean and their spread.
"""
EXIT = "The exit code is 1 if a training failed; the figures of the others are given nevertheless."


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "seeds",
        help="train with several seeds: mean and spread of the figures",
        description=DESCRIPTION,
        epilog=EXIT,
    )
    parser.add_argument("-n", type=whole(2, MOST), required=True, metavar="N", help="how many")
    parser.add_argument(
        "-S",
        action="append",
        default=[],
        dest="changes",
        metavar="KEY=VALUE",
        help="another value of a parameter, as `dvc exp run -S` takes it",
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there too")
    parser.add_argument("--dry-run", action="store_true", help="show what would run, and end")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Show the experiments, run those that are not finished, print the figures of all."""
    # They take seconds to import.
    from dminity.commands.changed_params import changed_params
    from dminity.commands.experiment_runs import Experiments, refuse_failures
    from dminity.commands.text_table import aligned
    from dminity.report.spread import FIGURES, spread_rows, spread_sentence
    from dminity.report.variants import read_variant

    experiments = Experiments()
    first = changed_params(experiments.root, arguments.changes)["train"]["seed"]
    planned = experiments.plan(
        {
            _seed_name(arguments.changes, seed): (*arguments.changes, f"train.seed={seed}")
            for seed in range(first, first + arguments.n)
        }
    )
    experiments.show(planned)
    if arguments.dry_run:
        return
    failed = experiments.run(planned)
    variants = [read_variant(each.name) for each in planned if each.name not in failed]
    if variants:
        rows, sentence = spread_rows(variants), spread_sentence(variants)
        print("\n".join(["", *aligned(rows, range(1, 2 + len(FIGURES))), "", sentence]))
        if arguments.markdown:
            _write(rows, sentence, arguments.markdown)
    refuse_failures(failed)


def _write(rows: list[list[str]], sentence: str, path: Path) -> None:
    """Write the table, its head first, and what follows from it as Markdown."""
    from dminity.core.files import replacing_file
    from dminity.report.markdown import escaped, table

    head, *body = [[escaped(cell) for cell in row] for row in rows]
    numeric = [column > 0 for column in range(len(head))]
    parts = [table(head, body, numeric), *([f"{sentence}."] if sentence else [])]
    with replacing_file(path) as unfinished:
        unfinished.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _seed_name(changes: list[str], seed: int) -> str:
    """The name of an experiment, of what Git takes in names.

    It is the name of a file too, and one that has all classes in it would be too long.

    >>> _seed_name(["model=yolox_s", "train.lr=0.1"], 2), _seed_name([], 3)
    ('model-yolox_s-train.lr-0.1-seed-2', 'seed-3')
    >>> len(_seed_name(["classes=[" + ", ".join(["Bed"] * 100) + "]"], 2))
    107
    """
    words = re.findall(r"\w+(?:\.\w+)*", " ".join(changes), re.ASCII)
    what = "-".join(words)[:LONGEST_WORDS]
    return "-".join([*filter(None, [what]), "seed", str(seed)])
