"""`dminity listing`: which amenities homes have, and whether that is what their owners claim."""

import argparse
from pathlib import Path
from typing import Any

from dminity.commands.predict import add_every, add_model

DESCRIPTION = """
List the amenities that the photos of a home show. A folder of folders is many homes. There are at
least as many of an amenity as the photo that shows most of them has.
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "listing", help="which amenities a home has, by its photos", description=DESCRIPTION
    )
    parser.add_argument("folder", type=Path, help="the photos and videos of a home, or of many")
    parser.add_argument(
        "--claims", type=Path, metavar="CSV", help="what owners claim: columns amenity and home"
    )
    add_model(parser)
    add_every(parser)
    parser.add_argument("--json", action="store_true", help="for programs: docs/product.md")
    parser.add_argument("--html", type=Path, metavar="PAGE", help="write a page with the evidence")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Look at all photos of all homes, and print what each has.

    Raises:
        NotAllRead: if something could not be read, when the rest is printed.
    """
    # They take half a second to import.
    from dminity.commands import listing_formats, looking
    from dminity.commands.home_sightings import shown_by
    from dminity.commands.listing_page import write_page
    from dminity.runtime.claims import read_claims
    from dminity.runtime.homes import find_homes
    from dminity.runtime.listing import list_home

    homes = find_homes(arguments.folder)
    inputs = [item for home in homes for item in home.inputs]
    one = looking.is_one(inputs)
    threads = looking.threads_of(arguments)
    detector = looking.load(arguments.model, threads, one)
    classes = detector.description.classes
    names = [home.name for home in homes]
    claims = read_claims(arguments.claims, names, classes) if arguments.claims else {}
    watch = looking.Looking(one, None if any(item.is_video for item in inputs) else len(inputs))
    shown = shown_by(
        homes, detector, watch, arguments.every, 1 if one else threads, arguments.html is not None
    )
    listed = [list_home(name, shown[name], classes, claims.get(name)) for name in names]
    show = listing_formats.print_json if arguments.json else listing_formats.print_table
    show(listed, watch.failed)
    # Afterwards, as a page that cannot be written is no reason to lose the list.
    if arguments.html:
        write_page(listed, arguments.html)
    watch.end()
