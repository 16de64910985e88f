"""Servers that end with the process that started them, however it ends.

`python -m dminity.core.child SIGNAL PARENT COMMAND…` has the system send it the signal when its
parent ends, and becomes the command.
"""

import ctypes
import os
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1  # of Linux' sys/prctl.h


def ended_with_us(command: Sequence[str], number: int) -> list[str]:
    """The command that runs another one, which gets a signal when this process ends; on Linux."""
    return [sys.executable, "-m", __name__, str(int(number)), str(os.getpid()), *command]


def main() -> None:
    """Become the command."""
    number, parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
    # It may have ended before.
    if os.getppid() == int(parent):
        os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
