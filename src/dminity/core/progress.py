"""The progress of long work: a bar on a terminal, or lines elsewhere; and what it waits for."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

# It is imported where it is needed: of one photo, `dminity predict` has nothing to count.
if TYPE_CHECKING:
    from tqdm import tqdm as Bar

# Where there is no terminal, a line is written after a tenth of the work, though not more often
# than every second, and at least every ten seconds in which something was done.
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 10.0
# When something that is waited for does not come, that is said: the first time, and then again.
FIRST_NOTE_S, NEXT_NOTE_S = 10.0, 60.0
LINE_FORMAT = "{desc}: {percentage:.0f}%, {n_fmt} of {total_fmt}, {rate_fmt}, {remaining} left"
LINE_FORMAT_WITHOUT_TOTAL = "{desc}: {n_fmt}, {rate_fmt}"

Item = TypeVar("Item")


def time_left(seconds: list[float], rounds: int) -> str:
    """How long so many more rounds will take, if each takes the mean of those before.

    >>> time_left([60.0, 62.0], 3)
    '03:03'
    """
    from tqdm import tqdm

    return tqdm.format_interval(rounds * sum(seconds) / len(seconds))


def _another_speaks() -> bool:
    """Whether this is one of several processes of a training, of which the first one speaks."""
    # torchrun and Lightning say the one, srun the other.
    return os.environ.get("LOCAL_RANK", os.environ.get("SLURM_PROCID", "0")) != "0"


def note(text: str) -> None:
    """A line on stderr that is no error; it leaves a bar on the terminal whole."""
    if not _another_speaks():
        line(f"note: {text}")


def line(text: str) -> None:
    """A line on stderr; it leaves a bar on the terminal whole."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)
    sys.stderr.flush()


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
        self.bar: Bar[Any] | None = None
        self.started = self.written = time.monotonic()
        self.written_done = initial
        self.silent = _another_speaks()
        if sys.stderr.isatty() and not self.silent:
            from tqdm import tqdm

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
        from tqdm import tqdm

        written = tqdm.format_meter(
            self.done,
            cast(int, self.total),
            time.monotonic() - self.started,
            prefix=self.description,
            unit=self.unit,
            unit_scale=self.unit == "B",
            initial=self.initial,
            bar_format=LINE_FORMAT if self.total else LINE_FORMAT_WITHOUT_TOTAL,
        )
        print(written, file=sys.stderr, flush=True)
        self.written, self.written_done = time.monotonic(), self.done


class Waiting:
    """Whether what is waited for comes; see `waiting_for`."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.ended = Event()
        # When something came last; None while nothing is waited for.
        self.came: float | None = time.monotonic()

    def beat(self) -> None:
        """Something came, or it is waited for from now on."""
        self.came = time.monotonic()

    def rest(self) -> None:
        """Nothing is waited for until the next beat."""
        self.came = None

    def watch(self) -> None:
        """Say that nothing comes, again and again, until waiting ends."""
        said = 0.0
        pause_s = FIRST_NOTE_S
        while not self.ended.wait(pause_s):
            came, now = self.came, time.monotonic()
            if came is None:
                pause_s = FIRST_NOTE_S
                continue
            due = said + NEXT_NOTE_S if said > came else came + FIRST_NOTE_S
            if now >= due:
                note(
                    f"waiting for {self.what} since {now - came:.0f} s; Ctrl-C ends it, what is "
                    "finished is kept"
                )
                said, due = now, now + NEXT_NOTE_S
            pause_s = due - now


@contextmanager
def waiting_for(what: str) -> Iterator[Waiting]:
    """Say on stderr that `what` is waited for, while the block runs and nothing comes.

    The first time after FIRST_NOTE_S without a beat, then every NEXT_NOTE_S. A thread says it, so
    that it is said too while a name is looked up or a connection made.
    """
    waiting = Waiting(what)
    Thread(target=waiting.watch, name=f"waiting for {what}", daemon=True).start()
    try:
        yield waiting
    finally:
        waiting.ended.set()
