"""How a stage or command ends: whatever happens, the last line on stderr says what, and the mend.

Installed before anything slow is imported, so that it holds for imports too. An error ends with
exit code 1, and Ctrl-C with 130, within two seconds: a thread sees to that where the main thread is
busy or a library swallows the interrupt.
"""

import atexit
import errno
import getpass
import os
import platform
import pwd
import signal
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import BrokenExecutor
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from dminity.core.errors import DminityError, first_line
from dminity.core.memory import is_out_of_memory

INTERRUPTED = 130  # As a shell says that Ctrl-C ended a program.
# What a stage may take to tidy up after Ctrl-C, such as removing a file that is half written.
GRACE_S = 1.0
MEND_OF_ERRNO = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EFBIG: "this disk takes no file so large: work on another one",
    errno.EROFS: "work in a folder that can be written to",
    errno.ENOTDIR: "a file is where a folder should be: move it away, or correct the path",
    errno.EISDIR: "a folder is where a file should be: move it away, or correct the path",
    errno.EEXIST: "move it away",
    errno.ENOTEMPTY: "another program is at work in that folder: end it",
    errno.ELOOP: "a link points at itself: remove it",
    errno.EMFILE: "raise the limit of open files: ulimit -n 4096",
    errno.ENFILE: "raise the limit of open files: ulimit -n 4096",
    errno.ENOENT: "create it, or correct the path",
    errno.EPIPE: "what reads the output has ended",
    errno.EIO: "the disk or the network drive fails: see what the system's log says",
}
_interrupted, _said = threading.Event(), threading.Event()


def install() -> None:
    """Let this process end in one line, whatever happens from now on; see `_name_the_user` too."""
    if sys.excepthook is _end_with:
        return
    _open_what_is_closed()
    sys.excepthook = _end_with
    sys.unraisablehook = _end_or_ignore
    _end_on_interrupt()
    _name_the_user()


def finished() -> None:
    """The work is done: while Python ends itself, Ctrl-C has nothing to end any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def end(text: str | None) -> NoReturn:
    """End this process at once, from any thread; with a line, unless another process says it."""
    if text:
        _say(text)
    os._exit(1)


def _end_with(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say in one line what ended the process: `sys.excepthook`."""
    del kind, trace
    if isinstance(error, KeyboardInterrupt):
        _say_interrupted()
        # In the usual way, so that Python and libraries tidy up; `_watch` sees to the time.
        sys.exit(INTERRUPTED)
    try:
        sys.stdout.flush()
    except OSError:
        # Who reads the output has ended. Python would find that once more when it ends itself.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.stderr.flush()
    _say(explained(error))


def _end_or_ignore(unraisable: "sys.UnraisableHookArgs") -> None:
    """End on Ctrl-C where it meets a destructor, too: Python would go on after a page of text."""
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        _say_interrupted()
        os._exit(INTERRUPTED)
    sys.__unraisablehook__(unraisable)


def _say(text: str) -> None:
    """Write the last line; a progress bar may have left the cursor at the end of one."""
    # Not by print, which may itself be what was interrupted.
    os.write(2, f"\nerror: {text}\n".encode(errors="replace"))
    # What libraries would still say while Python ends itself.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def explained(error: BaseException) -> str:
    """One line that names the offender and the mend."""
    if isinstance(error, DminityError):
        text = str(error)
    elif is_out_of_memory(error):
        text = (
            f"out of memory ({_named(error)}); lower train.batch_size or "
            "evaluate.batch_size, train.workers, train.cache_gb, fetch.connections, or the "
            "--threads of a command"
        )
    elif isinstance(error, OSError) and (reason := refused(error)):
        text = f"{reason}; then run it again: what is finished is kept"
    elif isinstance(error, BrokenExecutor):
        text = (
            "a process that worked for this one was killed, most often as memory ran out; end "
            "other programs, or run it where there is more, and run it again"
        )
    elif isinstance(error, ModuleNotFoundError) and _is_left_out(error):
        text = (
            f"{error.name} is not installed: pip install 'dminity[train]', or use a clone's .venv"
        )
    else:
        text = f"{_named(error)}; {_reported(error)}"
    return " ".join(text.split())


def _is_left_out(error: ModuleNotFoundError) -> bool:
    """Whether a library that our own code imports is not there: a lean install has but a few."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    importer = frames[-1].f_globals.get("__package__") if frames else None
    ours = __name__.partition(".")[0]
    # Where a part of a library is missing, or a file of ours, it is another fault.
    left_out = error.name not in (None, ours) and "." not in str(error.name)
    return left_out and str(importer).partition(".")[0] == ours


def refused(error: OSError) -> str:
    """What the system refused, of which file, and the mend; empty if no mend is known."""
    name = error.filename2 or error.filename
    path = Path(os.fsdecode(name)) if isinstance(name, str | bytes | os.PathLike) else None
    mend = MEND_OF_ERRNO.get(error.errno or 0, "")
    if path and error.errno in (errno.EACCES, errno.EPERM):
        mend = _owners(path)
    if not mend:
        return ""
    return f"{path}: {error.strerror}: {mend}" if path else f"{error.strerror}: {mend}"


def _owners(path: Path) -> str:
    """Whose a path is, or the folder that it would be in, and who asks."""
    there = next(place for place in (path, *path.absolute().parents) if os.path.lexists(place))
    owner, user = there.lstat().st_uid, os.geteuid()
    whose = f"{there} belongs to {user_name(owner)}, and this runs as {user_name(user)}"
    if owner == user:
        return f"{whose}: allow it by chmod"
    return f"{whose}: run it as {user_name(owner)}, or let that user give it away by chown"


def user_name(uid: int) -> str:
    """The name of a user, or the number of one without a name, as in a container."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _named(error: BaseException) -> str:
    """The kind of an error, and the first line of what it says."""
    line = first_line(error)
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def _reported(error: BaseException) -> str:
    """Keep the whole traceback and all versions in a file; say where it lies."""
    # It takes a tenth of the time of `dminity predict`, which hardly ever needs it.
    from importlib.metadata import distributions

    versions = sorted(f"{found.name} {found.version}" for found in distributions())
    lines = [
        f"{' '.join(sys.argv)}, Python {platform.python_version()}, {platform.platform()}\n\n",
        *traceback.format_exception(error),
        "\n",
        *(f"{version}\n" for version in versions),
    ]
    try:
        handle, name = tempfile.mkstemp(prefix="dminity-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.writelines(lines)
    except OSError as refused:
        return f"its traceback could not be kept ({refused}): set TMPDIR and run it again"
    return f"nobody expected that: please send {name} with a report"


def _open_what_is_closed() -> None:
    """Give this process streams that lead nowhere, for those that were closed before it began."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115


def _name_the_user() -> None:
    """Give a user that the system has no name for (`docker run -u 12345`) one: libraries ask."""
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["USER"] = f"user-{os.getuid()}"


# ── Ctrl-C ───────────────────────────────────────────────────────────────────────────────────────


def _end_on_interrupt() -> None:
    """Let Ctrl-C end this process in time, whatever it is doing."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        # A shell that starts a job in the background lets it ignore Ctrl-C.
        return
    signal.signal(signal.SIGINT, _interrupt)
    atexit.register(_end_if_swallowed)
    heard, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(heard,), daemon=True).start()


def _interrupt(*_: object) -> None:
    """Tidy up on the way out of whatever is going on."""
    _interrupted.set()
    raise KeyboardInterrupt


def _watch(heard: int) -> None:
    """End the process some time after Ctrl-C, if it has not ended by then."""
    while signal.SIGINT not in os.read(heard, 64):
        pass
    time.sleep(GRACE_S)
    # Threads may wait for a server, and libraries for each other.
    _say_interrupted()
    os._exit(INTERRUPTED)


def _end_if_swallowed() -> None:
    """End with the exit code of Ctrl-C where a library ends the process in another way."""
    if _interrupted.is_set() and not _said.is_set():
        _say_interrupted()
        os._exit(INTERRUPTED)


def _say_interrupted() -> None:
    """Say once that Ctrl-C ended the process."""
    if not _said.is_set():
        _said.set()
        _say("ended by Ctrl-C; what is finished is kept: run it again to go on")
