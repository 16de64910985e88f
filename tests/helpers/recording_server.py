"""A web server that serves a folder, and remembers what it was asked for.

It is a browser's proxy too, so that whatever the browser asks anybody for comes by here.
"""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass
class RecordingServer:
    """A running server.

    address: of the folder. asked: the methods and addresses of all requests, so far.
    """

    address: str
    asked: list[tuple[str, str]] = field(default_factory=list)


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files; what a proxy is asked for is a whole address."""

    def __init__(self, record: list[tuple[str, str]], *arguments: object, **more: object) -> None:
        self.record = record
        super().__init__(*arguments, **more)  # type: ignore[arg-type]

    def parse_request(self) -> bool:
        """Remember each request, of whatever method."""
        if not super().parse_request():
            return False
        self.record.append((self.command, self.path))
        self.path = urlsplit(self.path).path if self.command != "CONNECT" else "/"
        return True

    def do_GET(self) -> None:
        """Send a file; as some hosts do, lead from the page to its folder."""
        if not self.path.endswith("/index.html"):
            super().do_GET()
            return
        self.send_response(308)
        self.send_header("Location", "./")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def recording_server(folder: Path) -> Iterator[RecordingServer]:
    """Serve a folder on loopback."""
    running = RecordingServer("")
    handler = functools.partial(_Handler, running.asked, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        running.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()
