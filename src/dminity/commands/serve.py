"""`dminity serve`: photos in, JSON out, over HTTP; and the page, if there is one."""

import argparse
import importlib.util
import re
from pathlib import Path
from typing import Any

from dminity.commands.numbers import seconds, whole
from dminity.core.errors import DminityError
from dminity.core.progress import note
from dminity.core.stage import ONNX

DESCRIPTION = """
Serve photos' amenities over HTTP: POST /v1/detect and /v1/listing, GET /v1/model, /healthz,
/readyz, /metrics, /openapi.json. Nothing that is sent is kept or written to a disk. If
DMINITY_TOKEN is set, clients have to send it. SIGHUP takes over a new model, SIGTERM finishes what
has begun.
"""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
MB = 1_000_000
# Requests that may wait for each photo that is looked at.
WAITING_PER_WORKER = 16


class NoService(DminityError):
    """What a service takes is not installed."""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "serve", help="the API and the page, over HTTP", description=DESCRIPTION
    )
    parser.add_argument("--host", default=LOOPBACK[0], help="[%(default)s: this machine only]")
    parser.add_argument("--port", type=whole(0, 65535), default=8000, help="[%(default)s]; 0: any")
    parser.add_argument("--model", type=Path, default=ONNX, help="an exported model [%(default)s]")
    parser.add_argument(
        "--watch", action="store_true", help="take over a new file in the model's place by itself"
    )
    parser.add_argument("--site", type=Path, metavar="FOLDER", help="the page, served at /")
    parser.add_argument(
        "--cors", type=_origin, action="append", default=[], metavar="ORIGIN",
        help="pages of https://other.example may ask; may be repeated [none]",
    )  # fmt: skip
    _add_limits(parser)
    parser.set_defaults(run=run)


def _add_limits(parser: argparse.ArgumentParser) -> None:
    """Add what requests may take."""
    for name, read, default, text in (
        ("--workers", whole(1, 1024), None, "photos looked at at once [as many as cores]"),
        ("--queue", whole(1, 100_000), None, "requests at once, others get 503 [16 a worker]"),
        ("--limit-mb", whole(1, 4096), 32, "of a request [%(default)s]; eight times that of all"),
        ("--limit-photos", whole(1, 10_000), 64, "in a request [%(default)s]"),
        ("--limit-megapixels", whole(1, 250), 64, "of a photo [%(default)s]"),
        ("--limit-seconds", seconds, 60.0, "for a request [%(default)g]"),
    ):
        parser.add_argument(name, type=read, default=default, metavar="N", help=text)


def _origin(text: str) -> str:
    """An origin of the command line."""
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no origin such as https://other.example")
    return text.lower()


def run(arguments: argparse.Namespace) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises:
        NoService: if what it takes is not installed.
        DminityError: if it cannot begin.
    """
    if not all(map(importlib.util.find_spec, ("fastapi", "uvicorn", "prometheus_client"))):
        raise NoService("dminity serve needs more: pip install 'dminity[serve]'")
    # They take a second to import.
    from dminity.runtime.finding import cores
    from dminity.service.server import serve
    from dminity.service.settings import TOKEN, Limits, Settings, token_of_environment

    workers = arguments.workers or cores()
    settings = Settings(
        host=arguments.host,
        port=arguments.port,
        model=arguments.model,
        workers=workers,
        limits=Limits(
            request_bytes=arguments.limit_mb * MB,
            photos=arguments.limit_photos,
            photo_pixels=arguments.limit_megapixels * 1_000_000,
            seconds=arguments.limit_seconds,
            waiting=arguments.queue or WAITING_PER_WORKER * workers,
        ),
        watch=arguments.watch,
        site=arguments.site,
        cors=tuple(arguments.cors),
        token=token_of_environment(),
    )
    if settings.token is None and settings.host not in LOOPBACK:
        note(f"whoever reaches {settings.host} may send photos: {TOKEN} is not set")
    serve(settings)
