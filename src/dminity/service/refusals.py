"""What a service does not do, and how it says so."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.responses import JSONResponse

from dminity.core.errors import DminityError

# A photo takes a few hundredths of a second, so that there is room again soon.
RETRY_AFTER_S = 1


class Refusal(DminityError):
    """A request is refused.

    Args:
        status: of HTTP.
        reason: in a word, for the metrics.
        text: what is wrong and how to mend it; it holds nothing of a photo.
        failed: the photos that could not be read, if that is why.
        headers: more of the answer.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        text: str,
        failed: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason
        self.failed = failed
        self.headers = dict(headers or {})


def busy(reason: str, text: str) -> Refusal:
    """The same request may be answered a little later."""
    return Refusal(503, reason, text, headers={"Retry-After": str(RETRY_AFTER_S)})


def answer(
    status: int,
    text: str,
    request_id: str,
    failed: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The one form that all errors have."""
    content: dict[str, Any] = {"error": text, "request": request_id, "failed": list(failed)}
    return JSONResponse(content, status, dict(headers or {}))
