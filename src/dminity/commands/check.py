"""`dminity check`: what the data are like, and what is wrong with them."""

import argparse
import sys
from typing import Any


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "check", help="what the data are like, and what is wrong: exit code 1 if anything is"
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> None:
    """Print the report of the data on disk; exit code 1 if something is wrong with them."""
    # They take a second to import.
    from dminity.commands.report_table import Terminal, show
    from dminity.stages.check import examine

    report = examine()
    show(report, Terminal())
    if report.faults:
        sys.exit(1)
