"""Every request has an id, a line in the log and its place in the metrics."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dminity.service.logs import LOG, event
from dminity.service.metrics import Metrics

REQUEST_ID = "X-Request-ID"
# One that a client chooses is told back to it, and written into the log.
SAFE_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
METHODS = ("GET", "HEAD", "POST", "OPTIONS")


class Watching:
    """Names, counts and times requests.

    Args:
        app: what answers them.
        metrics: where they are counted.
        place: a path's name in logs and metrics; that of any other is none that a client chose.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, place: Callable[[str], str]) -> None:
        self.app = app
        self.metrics = metrics
        self.place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = asked if SAFE_ID.fullmatch(asked) else uuid.uuid4().hex
        state = scope.setdefault("state", {})
        state.update(request_id=request_id, said={})
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        start = time.perf_counter()
        try:
            await self.app(scope, receive, send_named)
        # It has been answered by then; the server would write a page of text.
        except Exception:
            LOG.exception("unexpected", extra={"fields": {"request": request_id}})
        finally:
            seconds = time.perf_counter() - start
            place = self.place(scope["path"])
            self.metrics.requests.labels(place, status).inc()
            self.metrics.request_seconds.labels(place).observe(seconds)
            event(
                "request",
                logging.ERROR if status >= 500 and status != 503 else logging.INFO,
                request=request_id,
                method=scope["method"] if scope["method"] in METHODS else "other",
                path=place,
                status=status,
                seconds=round(seconds, 4),
                **state["said"],
            )
