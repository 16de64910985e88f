"""Retries with exponential backoff and jitter, and long files that are resumed where they broke."""

import random
import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import TypeVar

from dminity.core.progress import Progress
from dminity.remote.reading import Folder, Opened, Unavailable

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 30.0
# A server that asks for more than this is not waited for that long.
LONGEST_WAIT_S = 120.0
BLOCK_BYTES = 2 << 20
# Failures in a row, without a block in between, after which a long file is given up.
ATTEMPTS = 8
Answer = TypeVar("Answer")


def retry(action: Callable[[], Answer], attempts: int, given_up: Event | None = None) -> Answer:
    """Call `action` until it succeeds, up to `attempts` times while its failures are passing ones.

    Args:
        action: what to call.
        attempts: 1 or more.
        given_up: when it is set, waiting ends and the last failure is raised.

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
            if given_up.wait(_pause_s(attempt, error.wait_s)):
                raise
    raise AssertionError("attempts is 1 or more")


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
        while True:
            try:
                with self.folder.open(self.name, self.position, self.version) as file:
                    self.version, self.size, self.crc32c = file.version, file.size, file.crc32c
                    for block in _read_blocks(file):
                        failures = 0
                        self.position += len(block)
                        yield block
                return
            except Unavailable as error:
                failures += 1
                if not error.passing or failures == ATTEMPTS:
                    raise
                time.sleep(_pause_s(failures, error.wait_s))

    def with_progress(self) -> Iterator[bytes]:
        """The same blocks; on stderr, how far they are."""
        name = self.name.rpartition("/")[2]
        with Progress[None](name, unit="B", initial=self.position) as progress:
            for block in self:
                progress.total = self.size
                progress.update(len(block))
                yield block


def _read_blocks(file: Opened) -> Iterator[bytes]:
    """The rest of a file, in blocks of BLOCK_BYTES."""
    while block := file.read(BLOCK_BYTES):
        yield block
