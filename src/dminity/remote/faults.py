"""What goes wrong when a public file is read: a word or two to count by, a line to mend it by."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3

from dminity.remote.session import CERTIFICATES, certificates_variable, proxy_variable

NAME_OF_STATUS = {403: "forbidden", 404: "not found", 410: "not found", 429: "too many requests"}
PASSING_STATUS = {408, 425, 429}
# What a proxy may say itself, and not the server behind it.
PROXY_STATUS = {407, 502, 503, 504}


class Unavailable(OSError):
    """A file cannot be had.

    `reason` is a word or two to count by, `passing` says whether asking again may help, `wait_s`
    for how long the server asks to be left alone, and `attempts` how often it was asked.
    """

    def __init__(
        self, reason: str, detail: object, *, passing: bool = False, wait_s: float = 0.0
    ) -> None:
        super().__init__(f"{reason}: {' '.join(str(detail).split())}")
        self.reason = reason
        self.passing = passing
        self.wait_s = wait_s
        self.attempts = 1


class Changed(Unavailable):
    """A file is not the one any more whose first part was read."""


@contextmanager
def as_unavailable(url: str) -> Iterator[None]:
    """Give the failures of the network the one type that a missing file has."""
    try:
        yield
    except Unavailable:
        raise
    # A ValueError is what comes of the address of a redirect, or of a header, that is none.
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        # After a redirect, it is of another address.
        failed = getattr(getattr(error, "request", None), "url", None) or url
        reason, passing = _reason(error, failed)
        raise Unavailable(reason, _explain(error, failed), passing=passing) from error


def _reason(error: Exception, url: str) -> tuple[str, bool]:
    """What failed, in a word or two, and whether asking again may help."""
    bottom = _bottom_of(error)
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return "stalled", True
    if isinstance(bottom, ssl.SSLCertVerificationError):
        return "certificate not trusted", False
    if isinstance(bottom, ssl.SSLError) and not _is_broken(error):
        return "no secure connection", False
    if isinstance(error, requests.exceptions.ProxyError):
        return f"no answer from {proxy_variable(url)}", True
    if isinstance(error, requests.ConnectionError | urllib3.exceptions.HTTPError | ConnectionError):
        return "connection lost", True
    return "refused", False


def _explain(error: BaseException, url: str) -> str:
    """A failed request in a line: the address, what is at the bottom of it, what it depends on."""
    bottom = _bottom_of(error)
    said = getattr(bottom, "strerror", None) or str(bottom) or type(bottom).__name__
    if isinstance(bottom, ssl.SSLCertVerificationError):
        said = f"{bottom.verify_message}{_by_certificates()}"
    elif isinstance(bottom, ssl.SSLError) and bottom.library not in ("SSL", None):
        # It is not of the connection, but of the file of certificates.
        said += _by_certificates()
    return f"{url}: {said}{_by_proxy(url)}"


def _by_certificates() -> str:
    """What to add to a failure where certificates are judged."""
    variable = certificates_variable()
    if variable:
        return f"; {variable} is {os.environ[variable]}"
    return f"; {CERTIFICATES[0]} may name a file of other authorities to trust"


def _is_broken(error: BaseException) -> bool:
    """Whether a secure connection broke, as any connection may: nobody's certificate is at fault.

    What urllib3 raises itself, it raises while a body is read.
    """
    bottom = _bottom_of(error)
    return isinstance(bottom, ssl.SSLError) and (
        isinstance(error, urllib3.exceptions.SSLError)
        or isinstance(bottom, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        or "BAD_RECORD" in str(bottom.reason)
    )


def _by_proxy(url: str) -> str:
    """What to add to a failure where a proxy is asked for an address."""
    variable = proxy_variable(url)
    return f", by the proxy of {variable}; correct or unset it" if variable else ""


def _bottom_of(error: BaseException) -> BaseException:
    """The failure that led to the others: requests and urllib3 wrap it several times."""
    below = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
    first = next((part for part in below if isinstance(part, BaseException)), None)
    return _bottom_of(first) if first else error


def refuse_status(response: requests.Response) -> None:
    """Raise for an answer that is not the file."""
    status = response.status_code
    if status in (200, 206):
        return
    if status == 416:
        raise Changed("changed", f"{response.url}: it is shorter than what was read of it")
    region = response.headers.get("x-amz-bucket-region")
    if region and status in (301, 307):
        mend = f"the bucket is in {region}: its endpoint is https://s3.{region}.amazonaws.com"
        raise Unavailable("moved", f"{response.url}: {mend}")
    server_error = status >= 500
    # Over https a proxy passes on what it cannot read.
    by_proxy = response.url.startswith("http:") and status in PROXY_STATUS
    raise Unavailable(
        NAME_OF_STATUS.get(status, "server error" if server_error else "refused"),
        f"{response.url}: status {status}{_by_proxy(response.url) if by_proxy else ''}",
        passing=server_error or status in PASSING_STATUS,
        wait_s=_retry_after_s(response.headers.get("Retry-After", "")),
    )


def _retry_after_s(value: str) -> float:
    """The seconds that a Retry-After header asks for, given as a number or a date."""
    try:
        return urllib3.Retry().parse_retry_after(value) if value else 0.0
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return 0.0
