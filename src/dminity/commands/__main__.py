"""The `dminity` command."""

import argparse
import sys
from pathlib import Path

from dminity.core.errors import DminityError
from dminity.data.tables import SPLITS

MODEL = Path("models/model.pth")
VOC = Path("data/voc")


def main() -> None:
    """Run a subcommand; what the user can mend is one line on stderr and exit code 1."""
    parser = argparse.ArgumentParser(prog="dminity", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    view = commands.add_parser("view", help="look at photos, boxes and predictions in FiftyOne")
    view.add_argument("--split", choices=SPLITS, default="test")
    view.add_argument("--port", type=int, default=5151)
    view.set_defaults(run=run_view)
    check = commands.add_parser(
        "check", help="what the data are like, and what is wrong: exit code 1 if anything is"
    )
    check.set_defaults(run=run_check)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except DminityError as error:
        sys.exit(f"error: {error}")


def run_view(arguments: argparse.Namespace) -> None:
    """Open the App on a split, with predictions if there is a model, until Ctrl-C."""
    # Both take seconds to import.
    from dminity.commands.view import build_dataset
    from dminity.network.detector import load_detector

    detector = load_detector(MODEL) if MODEL.exists() else None
    dataset = build_dataset(VOC, arguments.split, detector)
    import fiftyone as fo

    fo.launch_app(dataset, port=arguments.port, address="127.0.0.1").wait(-1)


def run_check(_: argparse.Namespace) -> None:
    """Print the report of the data on disk; exit code 1 if something is wrong with them."""
    from rich.console import Console

    from dminity.commands.report_table import show
    from dminity.stages.check import examine

    report = examine()
    show(report, Console())
    if report.faults:
        sys.exit(1)


if __name__ == "__main__":
    main()
