"""What the service worker keeps, so that the page works without a network."""

import base64
import hashlib
import json
from pathlib import Path

SERVICE_WORKER = "service-worker.js"


def write_list_of_files(folder: Path) -> None:
    """Put the list of a folder's files, with their checksums, at the top of its service worker.

    A file that changes changes the list, and a service worker that changed is what makes a browser
    take over a new version: of that, only what differs is fetched again.
    """
    worker = folder / SERVICE_WORKER
    files = {
        path.relative_to(folder).as_posix(): _integrity(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != worker
    }
    listed = f"const FILES = {json.dumps(files, indent=2)};\n\n"
    worker.write_text(listed + worker.read_text(encoding="utf-8"), encoding="utf-8")


def _integrity(path: Path) -> str:
    """A file's SHA-256 as browsers compare it (https://www.w3.org/TR/SRI/)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()}"
