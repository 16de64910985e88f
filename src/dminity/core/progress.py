"""The progress of long work: a bar on a terminal; elsewhere a line now and then."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from tqdm import tqdm

# Where there is no terminal, a line is written after a tenth of the work, though not more often
# than every second, and at least every ten seconds in which something was done.
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 10.0
LINE_FORMAT = "{desc}: {percentage:.0f}%, {n_fmt} of {total_fmt}, {rate_fmt}, {remaining} left"
LINE_FORMAT_WITHOUT_TOTAL = "{desc}: {n_fmt}, {rate_fmt}"

Item = TypeVar("Item")


def time_left(seconds: list[float], rounds: int) -> str:
    """How long so many more rounds will take, if each takes the mean of those before.

    >>> time_left([60.0, 62.0], 3)
    '03:03'
    """
    return tqdm.format_interval(rounds * sum(seconds) / len(seconds))


class Progress(Generic[Item]):
    """Counts what is done of some work, on stderr.

    Iterate over it, or use it as a context and call `update`.

    Args:
        description: what is done.
        items: what to iterate over.
        total: how many there are; None if that is not known (yet).
        unit: of what; of bytes, it counts in kB, MB and GB.
        initial: how many were done before.
    """

    def __init__(
        self,
        description: str,
        items: Iterable[Item] = (),
        total: int | None = None,
        unit: str = "photo",
        initial: int = 0,
    ) -> None:
        self.items = items
        self.total = total
        self.done = self.initial = initial
        self.description = description
        self.unit = unit
        self.bar: tqdm[Any] | None = None
        self.started = self.written = time.monotonic()
        self.written_done = initial
        # Of several processes of a training, the first one speaks.
        self.silent = os.environ.get("LOCAL_RANK", "0") != "0"
        if sys.stderr.isatty() and not self.silent:
            scaled = unit == "B"
            self.bar = tqdm(
                desc=description, total=total, unit=unit, initial=initial, unit_scale=scaled
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.bar is not None:
            self.bar.close()
        elif error is None and self.done > self.written_done and not self.silent:
            self._write_line()

    def __iter__(self) -> Iterator[Item]:
        with self:
            for item in self.items:
                yield item
                self.update(1)

    def update(self, count: int) -> None:
        """So many more are done."""
        self.done += count
        if self.bar is not None:
            self.bar.total = self.total
            self.bar.update(count)
        elif not self.silent and self._is_due():
            self._write_line()

    def _is_due(self) -> bool:
        """Whether enough has been done, or long enough nothing said."""
        silent_s = time.monotonic() - self.written
        share = (self.done - self.written_done) / self.total if self.total else 0.0
        return silent_s >= LONGEST_PAUSE_S or (share >= 0.1 and silent_s >= SHORTEST_PAUSE_S)

    def _write_line(self) -> None:
        """Say how far it is."""
        line = tqdm.format_meter(
            self.done,
            cast(int, self.total),
            time.monotonic() - self.started,
            prefix=self.description,
            unit=self.unit,
            unit_scale=self.unit == "B",
            initial=self.initial,
            bar_format=LINE_FORMAT if self.total else LINE_FORMAT_WITHOUT_TOTAL,
        )
        print(line, file=sys.stderr, flush=True)
        self.written, self.written_done = time.monotonic(), self.done
