"""Addresses of public folders, as parameters give them."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator


def _checked(address: str) -> str:
    """Refuse what is no address of a folder; `~` is expanded.

    The message names no password that may be in it.
    """
    scheme, separator, rest = address.partition("://")
    if not separator or not re.fullmatch(r"[A-Za-z][\w+.-]*", scheme):
        if not address.strip():
            raise ValueError(
                f"{address!r} is no address; give https://…, s3://… or a folder's path"
            )
        return _checked_path(address)
    if scheme not in ("http", "https", "s3"):
        mend = (
            f"give the path, {rest}"
            if scheme == "file"
            else "addresses begin with https:// or s3://"
        )
        raise ValueError(f"{scheme}:// is no address that can be read; {mend}")
    if "@" in rest.partition("/")[0]:
        raise ValueError("public files are read without user name and password; leave them out")
    if "?" in rest or "#" in rest:
        raise ValueError(f"{address!r} has ? or # in it; give the address of a folder")
    try:
        host, _ = urlsplit(address).hostname, urlsplit(address).port
    except ValueError as error:
        raise ValueError(f"{address!r} is no address: {error}") from error
    if not host:
        lacks = "bucket" if scheme == "s3" else "host"
        raise ValueError(f"{address!r} has no {lacks}; give {scheme}://{lacks}/folder")
    return address


def _checked_path(path: str) -> str:
    """Refuse what no path can be, and a home that is not known; `~` is expanded."""
    if not path.strip() or "\0" in path:
        raise ValueError(f"{path!r} is no path")
    try:
        return str(Path(path).expanduser())
    except RuntimeError as error:
        raise ValueError(f"{path!r}: that user's home is not known; give the whole path") from error


def _checked_server(address: str) -> str:
    """Refuse what is no address of a web server."""
    if not address.startswith(("http://", "https://")):
        raise ValueError(f"{address!r} is no server; give https://host")
    return _checked(address)


Address = Annotated[str, AfterValidator(_checked)]
"""An https, http or s3 address, or a path."""

LocalPath = Annotated[str, AfterValidator(_checked_path)]
"""A path on this machine."""

Server = Annotated[str, AfterValidator(_checked_server)]
"""An https or http address."""
