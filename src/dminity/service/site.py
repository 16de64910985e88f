"""The page: a folder of static files."""

import mimetypes
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from dminity.core.errors import DminityError

# Whatever this machine's own table says: browsers refuse scripts of another type.
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
}


class NoSite(DminityError):
    """A folder holds no page."""


def mount_site(app: FastAPI, folder: Path) -> None:
    """Serve a folder where no route is.

    Raises:
        NoSite: if there is no page in it.
    """
    if not (folder / "index.html").is_file():
        raise NoSite(f"{folder} holds no index.html; name the folder that `dminity site` wrote")
    for ending, kind in TYPES.items():
        mimetypes.add_type(kind, ending)
    app.mount("/", StaticFiles(directory=folder, html=True))
