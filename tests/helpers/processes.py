"""Programs that tests start: each in a session of its own, which ends with the test."""

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

# Far off: a busy machine is no failure. A program that never ends is.
LIMIT_S = 1800.0
_RUNNING: list["subprocess.Popen[Any]"] = []


def start(
    command: Sequence[str | Path],
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
    stderr: int = subprocess.STDOUT,
) -> "subprocess.Popen[str]":
    """Start a program, all its output in one pipe by default; `end_all` ends what is left of it."""
    return _started(command, folder, environment, stderr, text=True)


def _started(
    command: Sequence[str | Path],
    folder: Path | None,
    environment: dict[str, str] | None,
    stderr: int,
    text: bool,
) -> "subprocess.Popen[Any]":
    """Start a program in a session of its own, and remember it."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=text,
        start_new_session=True,
    )
    _RUNNING.append(process)
    return process


def run(
    command: Sequence[str | Path],
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
    stderr: int = subprocess.PIPE,
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end; what it left running ends too."""
    process = _started(command, folder, environment, stderr, text=False)
    try:
        output, errors = process.communicate(timeout=LIMIT_S)
    finally:
        end(process)
    # As it stands: in text mode, carriage returns would become ends of lines.
    return subprocess.CompletedProcess(
        command, process.returncode, output.decode(), (errors or b"").decode()
    )


def end(process: "subprocess.Popen[Any]") -> str:
    """End a program and all that it started, in whatever process group; what it last printed."""
    for member in _session(process.pid):
        with suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()
    if process in _RUNNING:
        _RUNNING.remove(process)
    if process.stdout is None or process.stdout.closed:
        return ""
    with process.stdout as stream:
        return str(stream.read())


def end_all() -> None:
    """End every program that was started and is not ended."""
    while _RUNNING:
        end(_RUNNING[-1])


def _session(number: int) -> list[psutil.Process]:
    """The processes of a session."""
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == number:
                found.append(process)
    return found
