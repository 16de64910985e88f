"""What a service is told when it starts."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from dminity.core.errors import DminityError

TOKEN = "DMINITY_TOKEN"  # noqa: S105 - the variable's name
MB = 1_000_000
# Photos that wait are in memory: so many of the largest requests fit there at once.
REQUESTS_IN_MEMORY = 8


class BadToken(DminityError):
    """The token of the environment is none that a client could send."""


@dataclass(frozen=True)
class Limits:
    """What one request may take, and all of them together.

    request_bytes: of its body. photos: how many are in it. photo_pixels: of each, before it is
    unpacked. seconds: from its first byte to its answer. waiting: how many requests are looked at
    or wait for that.
    """

    request_bytes: int = 32 * MB
    photos: int = 64
    photo_pixels: int = 64_000_000
    seconds: float = 60.0
    waiting: int = 32

    @property
    def held_bytes(self) -> int:
        """What all uploads may take of the memory at once."""
        return REQUESTS_IN_MEMORY * self.request_bytes


@dataclass(frozen=True)
class Settings:
    """A service.

    host, port: where it listens; port 0 is any that is free. model: its file. workers: how many
    photos are looked at at once. watch: whether a new file in the model's place is taken over by
    itself. site: a folder of static files to serve at `/`. cors: origins of other pages that may
    ask. token: what a client has to send; None if everybody may ask.
    """

    host: str
    port: int
    model: Path
    workers: int
    limits: Limits = field(default_factory=Limits)
    watch: bool = False
    site: Path | None = None
    cors: tuple[str, ...] = ()
    token: str | None = None


def token_of_environment() -> str | None:
    """The token that clients have to send, if there is to be one.

    Raises:
        BadToken: if it is empty, or no header could hold it.
    """
    token = os.environ.get(TOKEN)
    if token is None:
        return None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise BadToken(
            f"{TOKEN} is empty, or has blanks or letters that no header holds; set it to a long "
            "random word, or unset it"
        )
    return token
