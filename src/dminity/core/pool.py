"""Processes that work for this one, and end with it, however it ends."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import parent_process
from multiprocessing.context import BaseContext
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")


class Pool(ProcessPoolExecutor):
    """A pool of processes that leaves Ctrl-C to the process that started it.

    Args:
        context: how its processes are started.
        prepare: what each of them calls first, if anything.
    """

    def __init__(self, context: BaseContext, prepare: Callable[[], object] | None = None) -> None:
        super().__init__(os.cpu_count(), context, _begin, (prepare,))

    def submit(
        self, fn: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[Result]:
        """Have a function called; a process that starts for it takes over that Ctrl-C is blocked.

        So that none of them says a page of text, not even while it starts.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(prepare: Callable[[], object] | None) -> None:
    """What each process does first."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare:
        prepare()


def _end_with_parent() -> None:
    """Wait for the process that started this one to end, and follow it.

    Python's pools do not: their processes would wait for work for ever.
    """
    parent = parent_process()
    assert parent is not None, "it is a process of a pool"
    parent.join()
    os._exit(1)
