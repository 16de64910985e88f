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
    """A connection with a limit of time for what its client sends, and for what it takes."""

    patience_s: ClassVar[float]
    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    # Whether it waits for a request, or for its body.
    _state: object = None

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

    def pause_writing(self) -> None:
        """It does not take what it has asked for."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.patience_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It takes more."""
        super().resume_writing()
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._forget()
        self._go_on()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Let the time run while the client has something to send."""
        if self.conn.their_state is not self._state:
            # A body has the whole time, however long the connection was idle before.
            self._state = self.conn.their_state
            self._forget()
        if self._state in (h11.IDLE, h11.SEND_BODY) and self._deadline is None:
            self._deadline = self.loop.call_later(self.patience_s, self.transport.close)

    def _forget(self) -> None:
        """Let it run no longer."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _go_on(self) -> None:
        """It is not stalled."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
