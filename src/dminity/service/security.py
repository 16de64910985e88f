"""Who may ask, and what a browser may do with the answers."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dminity.service.refusals import Refusal

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# An answer of the API is data: a browser that takes it for a page finds nothing that it may do.
OF_ANSWERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
# The page runs its own scripts, and the network in WebAssembly; it knows no other origin.
OF_SITE = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
        "connect-src 'self'; img-src 'self' blob:; style-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    # Asked for again each time, and sent again only if it is another.
    "Cache-Control": "no-cache",
}


class SecureHeaders:
    """What every answer tells browsers.

    Args:
        app: what answers.
        is_site: whether a path is one of the page's.
    """

    def __init__(self, app: ASGIApp, is_site: Callable[[str], bool]) -> None:
        self.app = app
        self.is_site = is_site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        rules = EVERYWHERE | (OF_SITE if self.is_site(scope["path"]) else OF_ANSWERS)

        async def send_with_rules(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(rules)
            await send(message)

        await self.app(scope, receive, send_with_rules)


BEARER = HTTPBearer(auto_error=False, description="the word in DMINITY_TOKEN")
Sent = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]


def asks_for(token: str) -> Callable[[Sent], Awaitable[None]]:
    """What refuses a request without the token."""

    async def check(sent: Sent) -> None:
        word = sent.credentials if sent else ""
        # It takes as long for a token that is nearly right as for any other.
        if not hmac.compare_digest(word.encode(), token.encode()):
            raise Refusal(
                401,
                "token",
                "send the token as `Authorization: Bearer …`",
                headers={"WWW-Authenticate": "Bearer"},
            )

    return check
