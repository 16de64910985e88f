"""Connections whose clients have so long for a request, and no longer.

uvicorn waits for ever for a client that sends a byte a second, or nothing at all.
"""

import asyncio
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# The answer that a slow client is told of comes first.
GRACE_S = 2.0


def closing_after(limit_s: float) -> type[H11Protocol]:
    """Connections that are closed if a request is not complete by then."""

    class Connection(_Connection):
        """One of them."""

        patience_s = limit_s + GRACE_S

    return Connection


class _Connection(H11Protocol):
    """A connection with a limit of time for what its client sends."""

    patience_s: ClassVar[float]
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """It sent something."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """It may send the next request."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._forget()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Let the time run while the client has something to send."""
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._forget()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.patience_s, self.transport.close)

    def _forget(self) -> None:
        """Let it run no longer."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
