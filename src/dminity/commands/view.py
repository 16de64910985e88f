"""`dminity view`: photos, boxes, predictions and what is wrong with them in the FiftyOne App."""

import argparse
import importlib.util
import socket
from typing import Any

from dminity.core.errors import DminityError
from dminity.core.splits import SPLITS
from dminity.core.stage import VOC

ADDRESS = "127.0.0.1"
HIGHEST_PORT = 65535


class NoFiftyOne(DminityError):
    """FiftyOne is not installed."""


class NoPort(DminityError):
    """The App cannot be served at a port."""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser("view", help="look at photos, boxes and predictions in FiftyOne")
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--port", default="5151")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Open the App on a split until Ctrl-C; if there are predictions, the most mistaken first.

    Raises:
        NoFiftyOne: if it is not installed.
        NoPort: if the App cannot be served there.
    """
    if importlib.util.find_spec("fiftyone") is None:
        raise NoFiftyOne("dminity view needs FiftyOne: pip install 'dminity[view]'")
    port = _free_port(arguments.port)
    # They take seconds to import.
    from dminity.commands.database import run_database
    from dminity.commands.fiftyone_dataset import build_dataset
    from dminity.commands.mistakes import judge
    from dminity.commands.split_detections import find
    from dminity.data import voc

    annotations = voc.read_split(VOC, arguments.split, voc.read_classes(VOC))
    run_database()
    found = find(arguments.split, annotations)
    dataset = build_dataset(VOC, arguments.split, annotations, found)
    view = judge(dataset) if found else dataset.view()
    import fiftyone as fo

    fo.launch_app(view, port=port, address=ADDRESS).wait(-1)


def _free_port(text: str) -> int:
    """A port that the App can be served at: FiftyOne would wait for it for ever."""
    mend = "choose another by --port"
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST_PORT:
        raise NoPort(f"--port is {text!r}, not a number from 1 to {HIGHEST_PORT}; {mend}")
    with socket.socket() as trial:
        # As the App does it: a port that somebody has just left is free.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((ADDRESS, int(text)))
        except PermissionError as error:
            raise NoPort(f"port {text} is for root only; {mend}") from error
        except OSError as error:
            raise NoPort(f"port {text} is taken; {mend}") from error
    return int(text)
