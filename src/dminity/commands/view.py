"""`dminity view`: photos, boxes and predictions in the FiftyOne App."""

import argparse
from typing import Any

from dminity.core.splits import SPLITS
from dminity.core.stage import MODEL, VOC


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser("view", help="look at photos, boxes and predictions in FiftyOne")
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--port", type=int, default=5151)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Open the App on a split, with predictions if there is a model, until Ctrl-C."""
    # Both take seconds to import.
    from dminity.commands.fiftyone_dataset import build_dataset
    from dminity.network.detector import load_detector

    detector = load_detector(MODEL) if MODEL.exists() else None
    dataset = build_dataset(VOC, arguments.split, detector)
    import fiftyone as fo

    fo.launch_app(dataset, port=arguments.port, address="127.0.0.1").wait(-1)
