"""Processes that end with the process that started them, however it ends.

`python -m dminity.core.child SIGNAL PARENT COMMAND…` has the system send it the signal when its
parent ends, and becomes the command.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1  # of Linux' sys/prctl.h


def ended_with_us(command: Sequence[str], number: int) -> list[str]:
    """The command that runs another one, which gets a signal when this process ends; on Linux."""
    return [sys.executable, "-m", __name__, str(int(number)), str(os.getpid()), *command]


def end_with_parent(number: int = signal.SIGKILL) -> None:
    """Let this process get a signal when the one that started it ends, on Linux.

    It would wait for the other, on a GPU for up to half an hour, and keep its memory.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def end(process: "subprocess.Popen[bytes]", grace_s: float) -> None:
    """End a process that this one started: by SIGTERM, and by force if that takes too long."""
    process.terminate()
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    """Become the command."""
    number, parent, *command = sys.argv[1:]
    end_with_parent(int(number))
    # It may have ended before.
    if os.getppid() == int(parent):
        os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
