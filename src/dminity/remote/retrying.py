"""Retries with exponential backoff and jitter, and long files that are resumed where they broke."""

import math
import random
import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import TypeVar

from dminity.core.progress import Progress, Waiting, note, waiting_for
from dminity.remote.faults import Unavailable
from dminity.remote.reading import Folder, Opened

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 30.0
# A server that asks for more than this is not waited for that long.
LONGEST_WAIT_S = 120.0
BLOCK_BYTES = 2 << 20
# Failures in a row, without a block in between, after which a long file is given up.
ATTEMPTS = 8
# Of passing failures, at most one in so many seconds is said.
NOTE_PAUSE_S = 10.0
Answer = TypeVar("Answer")


def retry(
    action: Callable[[], Answer],
    attempts: int,
    given_up: Event | None = None,
    say: Callable[[Unavailable, float], None] | None = None,
) -> Answer:
    """Call `action` until it succeeds, up to `attempts` times while its failures are passing ones.

    Args:
        action: what to call.
        attempts: 1 or more.
        given_up: when it is set, waiting ends and the last failure is raised.
        say: told of each passing failure, and of the seconds until the next call.

    Raises:
        Unavailable: the last failure, with its `attempts`.
    """
    given_up = given_up or Event()
    for attempt in range(1, attempts + 1):
        try:
            return action()
        except Unavailable as error:
            error.attempts = attempt
            if attempt == attempts or not error.passing:
                raise
            pause_s = _pause_s(attempt, error.wait_s)
            if say:
                say(error, pause_s)
            if given_up.wait(pause_s):
                raise
    raise AssertionError("attempts is 1 or more")


def retry_aloud(action: Callable[[], Answer], what: str) -> Answer:
    """`retry` up to ATTEMPTS times, and say on stderr what is waited for and why.

    Raises:
        Unavailable: the last failure.
    """
    with waiting_for(what):
        return retry(action, ATTEMPTS, say=_FailureNotes().say)


class _FailureNotes:
    """Says on stderr which failures are passing, now and then."""

    def __init__(self) -> None:
        self.said = -math.inf

    def say(self, error: Unavailable, pause_s: float) -> None:
        """A failure, and for how long it is waited before the file is asked for again."""
        if time.monotonic() - self.said >= NOTE_PAUSE_S:
            self.said = time.monotonic()
            note(f"{error}; asked for again in {pause_s:.1f} s")


def _pause_s(failures: int, wait_s: float) -> float:
    """Seconds to wait after so many failures in a row: exponential backoff with full jitter.

    `wait_s` is what the server asks for; that is waited for, up to LONGEST_WAIT_S.
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    longest = min(FIRST_PAUSE_S * 2 ** (failures - 1), LONGEST_PAUSE_S)
    return max(random.uniform(0, longest), min(wait_s, LONGEST_WAIT_S))  # noqa: S311


class Blocks:
    """A long file from some byte on, block by block; a broken connection is resumed there.

    Iterating raises `Unavailable` if the file cannot be had, and `Changed` if it is not of
    `version`, or not the one any more that it was.
    """

    def __init__(self, folder: Folder, name: str, start: int = 0, version: str = "") -> None:
        self.folder = folder
        self.name = name
        self.position = start
        self.version = version
        # What the server says of the whole file, from the first block on.
        self.size: int | None = None
        self.crc32c: int | None = None

    def __iter__(self) -> Iterator[bytes]:
        failures = 0
        notes = _FailureNotes()
        with waiting_for(f"{self.folder.address}/{self.name}") as waiting:
            while True:
                try:
                    with self.folder.open(self.name, self.position, self.version) as file:
                        self.version, self.size, self.crc32c = file.version, file.size, file.crc32c
                        for block in _read_blocks(file, waiting):
                            failures = 0
                            self.position += len(block)
                            waiting.rest()
                            yield block
                            waiting.beat()
                    return
                except Unavailable as error:
                    failures += 1
                    if not error.passing or failures == ATTEMPTS:
                        raise
                    pause_s = _pause_s(failures, error.wait_s)
                    notes.say(error, pause_s)
                    time.sleep(pause_s)

    def with_progress(self) -> Iterator[bytes]:
        """The same blocks; on stderr, how far they are."""
        name = self.name.rpartition("/")[2]
        with Progress[None](name, unit="B", initial=self.position) as progress:
            for block in self:
                progress.total = self.size
                progress.update(len(block))
                yield block


def _read_blocks(file: Opened, waiting: Waiting) -> Iterator[bytes]:
    """The rest of a file, in blocks of BLOCK_BYTES; what comes of them is told to `waiting`."""

    def pieces() -> Iterator[bytes]:
        for piece in file.pieces(BLOCK_BYTES):
            waiting.beat()
            yield piece

    while block := b"".join(pieces()):
        yield block
