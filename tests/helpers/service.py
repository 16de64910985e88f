"""`dminity serve` on a free port of loopback, and requests to it."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dminity.core.child import ended_with_us
from tests.helpers.processes import LIMIT_S
from tests.helpers.programs import ENVIRONMENT

# A part of a form: field, file name (None: a text field), content.
Part = tuple[str, str | None, bytes]


@dataclass(frozen=True)
class Answer:
    """What a service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Service:
    """A running service; `log` is the file of its lines."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    def lines(self, event: str = "") -> list[dict[str, Any]]:
        """What it has logged of an event, or of all."""
        text = self.log.read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines(keepends=True) if line[-1:] == "\n"]
        return [line for line in lines if event in ("", line["event"])]

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "",
    ) -> Answer:
        """Send a request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        try:
            method = method or ("GET" if body is None else "POST")
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())
        finally:
            connection.close()

    def send(
        self, path: str, parts: Sequence[Part], headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a form."""
        kind, body = form(parts)
        return self.ask(path, body, {"Content-Type": kind, **(headers or {})})

    def detect(self, *contents: bytes) -> Answer:
        """Send photos, which are called 0.jpg, 1.jpg and so on."""
        return self.send("/v1/detect", photos(*contents))

    def metric(self, name: str) -> float:
        """The value of a metric; 0 if it is not there yet."""
        for line in self.ask("/metrics").body.decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def connect(self) -> socket.socket:
        """A connection, to send whatever."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_S)


def photos(*contents: bytes) -> list[Part]:
    """Parts of a form with photos."""
    return [("photos", f"{number}.jpg", content) for number, content in enumerate(contents)]


def form(parts: Sequence[Part]) -> tuple[str, bytes]:
    """Content type and body of a form."""
    boundary = uuid.uuid4().hex
    body = b""
    for field, name, content in parts:
        named = "" if name is None else f'; filename="{name}"'
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"{named}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def head(path: str, length: int, kind: str, *more: str) -> bytes:
    """The head of a request that sends a form."""
    lines = (
        f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}",
        f"Content-Length: {length}", *more,
    )  # fmt: skip
    return "\r\n".join((*lines, "", "")).encode()


def wait_for(condition: Any, what: str) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: if that takes for ever.
    """
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@contextmanager
def serving(
    model: Path,
    *options: str | Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    prelude: str = "",
) -> Iterator[Service]:
    """Serve a model until the block ends; `prelude` is Python that comes before."""
    program = f"{prelude}\nfrom dminity.commands.__main__ import main\nmain()"
    command = [sys.executable, "-c", program, "serve", "--port", "0", "--model", str(model)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            ended_with_us([*command, *map(str, options)], signal.SIGKILL),
            cwd=log.parent,
            env={**ENVIRONMENT, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    try:
        wait_for(lambda: process.poll() is not None or b"listening" in log.read_bytes(), "no start")
        assert process.poll() is None, log.read_text()
        (line,) = Service(process, 0, log).lines("listening")
        yield Service(process, line["port"], log)
    finally:
        process.kill()
        process.wait()
