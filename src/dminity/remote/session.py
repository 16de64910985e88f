"""Requests that the user's surroundings do not change, but for a company's proxy and certificates.

Of the environment, *_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE count; proxies do not
for this machine's own addresses. Public files need no credentials: ~/.netrc is not read.
"""

import ipaddress
import os
import socket
from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import requests
from requests.adapters import HTTPAdapter
from requests.utils import should_bypass_proxies

from dminity.core.errors import DminityError

CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
MOST_CONNECTIONS = 256


class BadSurroundings(DminityError):
    """A variable of the environment that requests depend on is of no use; the message names it."""


class PublicSession(requests.Session):
    """Asks servers for files, without credentials.

    Raises `BadSurroundings` and what requests raises.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        # It would write our connections' keys to a file, and ends them where it cannot.
        os.environ.pop("SSLKEYLOGFILE", None)
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=MOST_CONNECTIONS))
        # Bytes as they lie there: of compressed ones neither size nor checksum would be right.
        self.headers["Accept-Encoding"] = "identity"

    def ask(
        self, url: str, headers: dict[str, str], timeout_s: tuple[float, float]
    ) -> requests.Response:
        """The answer to a request, its body not yet read.

        `timeout_s` is how long to wait for the connection, and for each of its bytes.
        """
        return self.get(
            url,
            headers=headers,
            timeout=timeout_s,
            stream=True,
            proxies=_proxies(url),
            verify=_certificates(url),
        )

    def rebuild_proxies(
        self, prepared_request: requests.PreparedRequest, proxies: object
    ) -> dict[str, str]:
        """The proxies for the address that a server redirects to."""
        return _proxies(prepared_request.url or "")


def _proxies(url: str) -> dict[str, str]:
    """The environment's proxy for an address, by scheme."""
    variable = proxy_variable(url)
    if variable is None:
        return {}
    proxy = os.environ[variable]
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        # It is not shown: a password may be in it.
        raise BadSurroundings(
            f"{variable} is no proxy that can be used; give http://host:port, or unset it"
        )
    return {urlsplit(url).scheme: proxy}


def proxy_variable(url: str) -> str | None:
    """The variable that names the proxy for an address."""
    if _is_loopback(urlsplit(url).hostname or "") or should_bypass_proxies(url, no_proxy=None):
        return None
    proxies = getproxies_environment()
    scheme = urlsplit(url).scheme
    name = f"{scheme if scheme in proxies else 'all'}_proxy"
    # Where there are several spellings, the one in small letters counts.
    spellings = sorted((key for key in os.environ if key.lower() == name), reverse=True)
    return next((key for key in spellings if os.environ[key]), None)


def _is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    host = host.rstrip(".")
    # 127.1 is 127.0.0.1, which ::ffff:127.0.0.1 is, too.
    with suppress(OSError):
        host = socket.inet_ntoa(socket.inet_aton(host))
    try:
        address = ipaddress.ip_address(host)
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _certificates(url: str) -> str | bool:
    """The authorities whom the user trusts: a path; True: those that requests comes with."""
    variable = certificates_variable()
    if variable is None:
        return True
    path = os.environ[variable]
    if os.access(path, os.R_OK):
        return path
    if not url.startswith("https:"):
        return True
    fault = "may not be read" if os.access(path, os.F_OK) else "is not there"
    raise BadSurroundings(f"{variable} names {path}, which {fault}; correct or unset it")


def certificates_variable() -> str | None:
    """The variable that names them."""
    return next((name for name in CERTIFICATES if os.environ.get(name)), None)
