"""`dminity site`: the page that finds amenities in a visitor's own browser, as static files."""

import argparse
from pathlib import Path
from typing import Any

from dminity.core.stage import ONNX_INT8

# Where ONNX Runtime Web is kept; Git ignores it.
CACHE = Path(".site_cache")
DESCRIPTION = """
Write a page that finds amenities in photos, in the browser of whoever opens it: a folder of static
files for any web server or bucket. No photo leaves the visitor's device.
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "site", help="a page that finds amenities in the browser", description=DESCRIPTION
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder to write")
    parser.add_argument(
        "--model", type=Path, default=ONNX_INT8, help="an exported model [%(default)s]"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the folder, and say how to look at it."""
    # It takes half a second to import.
    from dminity.site.assembly import write_site

    size = write_site(arguments.out, arguments.model, CACHE)
    print(
        f"{arguments.out}: {size / 1e6:.1f} MB; put it on any web server, or look at it by "
        f"`python -m http.server --bind 127.0.0.1 --directory {arguments.out}`"
    )
