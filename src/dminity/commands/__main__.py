"""Find home amenities in photos: what is not a stage of the pipeline (`dvc repro`)."""

import argparse
import sys

from dminity.commands import check, view
from dminity.core.errors import DminityError

SUBCOMMANDS = (check, view)


def main() -> None:
    """Run a subcommand; what the user can mend is one line on stderr and exit code 1."""
    parser = argparse.ArgumentParser(prog="dminity", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for subcommand in SUBCOMMANDS:
        subcommand.add_parser(commands)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except DminityError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
