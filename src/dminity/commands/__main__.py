"""Find home amenities in photos: what is not a stage of the pipeline (`dvc repro`)."""

import argparse
from typing import NoReturn

from dminity.core import ending


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments; exit code 2, as other commands have it."""
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def main() -> None:
    """Run a subcommand; whatever ends it is one line on stderr."""
    ending.install()
    # It may fail, or be interrupted.
    from dminity.commands import (
        check,
        compare,
        ladder,
        listing,
        pr_report,
        predict,
        seeds,
        serve,
        site,
        view,
    )

    parser = _Parser(prog="dminity", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for subcommand in (
        predict, listing, site, serve, check, compare, pr_report, seeds, ladder, view,
    ):  # fmt: skip
        subcommand.add_parser(commands)
    arguments = parser.parse_args()
    arguments.run(arguments)
    ending.finished()


if __name__ == "__main__":
    main()
