"""A service on a socket, until a signal ends it."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from dminity.core.errors import DminityError
from dminity.service import logs
from dminity.service.api import build
from dminity.service.connections import closing_after
from dminity.service.settings import Settings

# More are answered 503 by uvicorn itself; each takes a file of the 1,024 that a process often has.
CONNECTIONS = 512


class NoAddress(DminityError):
    """A service cannot listen at an address."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C, and finish what has begun by then.

    Raises:
        DminityError: if it cannot begin.
        KeyboardInterrupt: if Ctrl-C ended it.
    """
    # Until it is heard, it would end the process: a new model may come early.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    logs.install()
    app = build(settings)
    with _listen(settings.host, settings.port) as listener:
        server = _Server(
            uvicorn.Config(
                app,
                http=closing_after(settings.limits.seconds),
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=CONNECTIONS,
                timeout_graceful_shutdown=int(settings.limits.seconds) + 1,
            )
        )
        host, port = listener.getsockname()[:2]
        logs.event("listening", host=host, port=port, workers=settings.workers)
        server.run([listener])
    logs.event("ended")
    if server.interrupted:
        raise KeyboardInterrupt


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        NoAddress: if there can be none.
    """
    try:
        (family, _, _, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        return socket.create_server(address[:2], family=family, backlog=CONNECTIONS)
    except OSError as error:
        reason = error.strerror or error
        raise NoAddress(
            f"cannot listen at {host}, port {port}: {reason}; choose others by --host and --port"
        ) from error


class _Server(uvicorn.Server):
    """uvicorn, whose signals are the event loop's: its own would end the process by them."""

    interrupted = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear SIGTERM and Ctrl-C while it serves; a second one does not wait."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            loop.add_signal_handler(number, self._end, number)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def _end(self, number: int) -> None:
        """Take no new requests."""
        self.interrupted = self.interrupted or number == signal.SIGINT
        self.force_exit = self.should_exit
        self.should_exit = True
