"""A web server with everything that a bad network and a bad server do, on loopback.

It serves a folder, ranges and ETags included. `faults` says what goes wrong instead at the next
requests for a file, one after the other; the last of them for ever if it is in `lasting`.
"""

import hashlib
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Fault = Callable[["Handler", bytes], None]
DRIP_S = 0.05


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server: "FaultyServer"

    def do_GET(self) -> None:
        """Serve a file, or do what goes wrong."""
        name = self.path.lstrip("/")
        self.server.asked.append((name, self.headers.get("Range", "")))
        path = self.server.folder / name
        content = path.read_bytes() if path.is_file() else b""
        if fault := self.server.next_fault(name):
            fault(self, content)
        elif path.is_file():
            self.send_file(content)
        else:
            answer(404)(self, content)

    def send_file(self, content: bytes) -> None:
        """A file, or the part of it that is asked for."""
        start = self.start_of_range()
        if start and start >= len(content):
            answer(416, Content_Range=f"bytes */{len(content)}")(self, content)
            return
        self.send_response(206 if start else 200)
        self.send_header("ETag", etag(content))
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        drip_bytes = self.server.drip_bytes
        for place in range(start, len(content), drip_bytes or len(content)):
            self.wfile.write(content[place : place + (drip_bytes or len(content))])
            time.sleep(DRIP_S if drip_bytes else 0)

    def start_of_range(self) -> int:
        """The byte from which on the file is asked for; all of it if the server knows no ranges."""
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(found[1]) if found and self.server.ranges else 0

    def promise(self, content: bytes) -> None:
        """The head of an answer that ought to have all of the file."""
        self.send_response(200)
        self.send_header("ETag", etag(content))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@dataclass
class Settings:
    """What a test changes while the server runs."""

    folder: Path
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    lasting: dict[str, Fault] = field(default_factory=dict)
    every_fifth: Fault | None = None
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    ranges: bool = True
    drip_bytes: int = 0


class FaultyServer(ThreadingHTTPServer, Settings):
    """The server, at `address`."""

    daemon_threads = True
    # Connections that are not accepted at once would look like faults of the client.
    request_queue_size = 256

    def __init__(self, folder: Path) -> None:
        Settings.__init__(self, folder)
        ThreadingHTTPServer.__init__(self, ("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.requests = 0

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_fault(self, name: str) -> Fault | None:
        """What goes wrong with this request, if anything."""
        with self.lock:
            self.requests += 1
            if waiting := self.faults.get(name):
                return waiting.pop(0)
            if self.every_fifth and self.requests % 5 == 0:
                return self.every_fifth
            return self.lasting.get(name)

    def handle_error(self, *_: object) -> None:
        """A client that went away is no matter."""


@contextmanager
def faulty_server(folder: Path) -> Iterator[FaultyServer]:
    """Run a server on a folder until the block ends."""
    with FaultyServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()


def etag(content: bytes) -> str:
    """As S3 gives it."""
    return f'"{hashlib.md5(content).hexdigest()}"'


def answer(status: int, content: bytes = b"", **headers: str) -> Fault:
    """Another status, another content, or both."""

    def fault(handler: Handler, _: bytes) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return fault


def reset(handler: Handler, content: bytes) -> None:
    """The connection is reset when half of the file is through."""
    handler.promise(content)
    handler.wfile.write(content[: len(content) // 2])
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    # The server itself would first say that it ends.
    os.close(handler.connection.detach())


def cut_short(handler: Handler, content: bytes) -> None:
    """Fewer bytes than were promised, and then a regular end."""
    handler.promise(content)
    handler.wfile.write(content[: len(content) // 2])
    handler.close_connection = True


def stall(handler: Handler, content: bytes) -> None:
    """Half of the file, and then nothing any more."""
    handler.promise(content)
    handler.wfile.write(content[: len(content) // 2])
    handler.wfile.flush()
    handler.server.ended.wait()
    handler.close_connection = True


def drip(handler: Handler, content: bytes) -> None:
    """A byte now and then: never silent for long, and never done."""
    handler.promise(content)
    for place in range(len(content)):
        handler.wfile.write(content[place : place + 1])
        if handler.server.ended.wait(DRIP_S):
            break
    handler.close_connection = True


def truncated(handler: Handler, content: bytes) -> None:
    """Half of the file as if it were all of it."""
    answer(200, content[: len(content) // 2])(handler, content)
