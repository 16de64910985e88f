"""`dminity seeds`: the same experiment with several seeds, and how far its figures spread."""

import argparse
import re
from pathlib import Path
from typing import Any

from dminity.commands.numbers import whole

MOST = 1000
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
    from dminity.core.files import replacing_file
    from dminity.report.markdown import escaped, table
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
    right = range(1, 2 + len(FIGURES))
    sentence = spread_sentence(variants)
    if variants:
        rows = spread_rows(variants)
        print("\n".join(["", *aligned(rows, right), "", sentence]))
        if arguments.markdown:
            cells = [[escaped(cell) for cell in row] for row in rows]
            numeric = [place in right for place in range(len(cells[0]))]
            lines = [
                table(cells[0], cells[1:], numeric),
                *(["", f"{sentence}."] if sentence else []),
            ]
            with replacing_file(arguments.markdown) as unfinished:
                unfinished.write_text("\n".join(lines) + "\n", encoding="utf-8")
    refuse_failures(failed)


def _seed_name(changes: list[str], seed: int) -> str:
    """The name of an experiment, of what Git takes in names.

    >>> _seed_name(["model=yolox_s", "train.lr=0.1"], 2), _seed_name([], 3)
    ('model-yolox_s-train.lr-0.1-seed-2', 'seed-3')
    """
    words = re.findall(r"\w+(?:\.\w+)*", " ".join(changes), re.ASCII)
    return "-".join([*words, "seed", str(seed)])
