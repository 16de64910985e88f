"""Ctrl-C and SIGTERM in the course of a training: who ends, and by whom.

- The first process: kills the others, says one line, and ends at once: by SIGTERM itself, or with
  the exit code that Ctrl-C has in every stage (`core/ending.py`).
- Other processes of this machine: silently on either signal, and when the first one ends, however
  that came about.
- Processes that torchrun or SLURM started: with whoever started them.
- Loader workers: silently on Ctrl-C, and at once when the process ends that they load for.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import lightning as L
from lightning.pytorch.callbacks import Callback

from dminity.core.ending import INTERRUPTED

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class EndOnSignal(Callback):
    """Ends a run at once on Ctrl-C and SIGTERM: the last epoch's checkpoint is there already.

    Lightning would end it after the batch, and first ask all processes, which may wait for others.
    An exception would not always end it: where it meets a destructor, Python drops it.
    """

    def on_sanity_check_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Install our handlers over Lightning's before the validation that comes first, too."""
        self.on_train_start(trainer, pl_module)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Install our handlers over Lightning's."""

        def end(number: int, _: object) -> None:
            launcher = trainer.strategy.launcher
            if launcher is not None:
                launcher.kill(signal.SIGKILL)
            name = signal.Signals(number).name
            # Not by print, which may itself be what was interrupted.
            os.write(2, f"\nerror: training was ended by {name}; run again to resume\n".encode())
            if number == signal.SIGINT:
                os._exit(INTERRUPTED)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        for number in ENDING_SIGNALS:
            signal.signal(number, end if trainer.is_global_zero else signal.SIG_DFL)


@contextmanager
def handlers_restored() -> Iterator[None]:
    """Restore the handlers of SIGINT and SIGTERM when the block ends."""
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_silently_on_interrupt() -> None:
    """Let Ctrl-C end this process without a word: another one has the say."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
