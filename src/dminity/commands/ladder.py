"""`dminity ladder`: the project's own experiments, step by step, with what each concludes."""

import argparse
from typing import Any

from dminity.commands.ladder_steps import STEPS

DESCRIPTION = """
Run a step of the project's own ladder as experiments of DVC, one after another, in a copy of the
project, and write what it concludes into docs/experiments. What is finished is not trained again:
run it again to go on after an interrupt, or to write the conclusion anew.
"""
EXIT = """
The exit code is 1 if a training failed; what the others give is concluded nevertheless.
""".strip()


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "ladder",
        help="the project's own experiments, with a conclusion each",
        description=DESCRIPTION,
        epilog="\n".join([*(f"{name}: {STEPS[name].question}" for name in STEPS), "", EXIT]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("step", choices=STEPS, help="what to run")
    parser.add_argument("--dry-run", action="store_true", help="show what would run, and end")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Show the experiments, run those that are not finished, write the conclusion."""
    # They take seconds to import.
    from dminity.commands.conclusion_file import write_conclusion
    from dminity.commands.experiment_runs import Experiments, refuse_failures

    step = STEPS[arguments.step]
    experiments = Experiments()
    planned = experiments.plan(step.experiments)
    experiments.show(planned)
    if arguments.dry_run:
        return
    failed = experiments.run(planned)
    finished = [each for each in planned if each.name not in failed]
    if finished:
        root = experiments.root
        print(write_conclusion(root, arguments.step, step.question, finished, failed))
    refuse_failures(failed)
