"""Whatever ends a stage or command, the last line on stderr says what, and what to do."""

import errno
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest

from dminity.core import ending
from dminity.core.errors import DminityError
from dminity.data import tables
from tests.helpers import processes
from tests.helpers.processes import LIMIT_S
from tests.helpers.project import ROOT, environment

ENVIRONMENT = environment() | {"PYTHONPATH": str(ROOT / "src")}


def program(code: str) -> list[str]:
    """A program that ends as our stages and commands do."""
    return [sys.executable, "-c", f"from dminity.core import ending\nending.install()\n{code}"]


def last_line(stderr: str) -> str:
    """The last line, which has to be the only one that begins with `error:`."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    assert "Traceback" not in stderr
    assert [line for line in lines if line.startswith("error: ")] == lines[-1:]
    return lines[-1]


def ended(command: list[str], folder: Path, **variables: str) -> tuple[int, str]:
    """The exit code of a command, and the last line that it wrote."""
    done = processes.run(command, folder, ENVIRONMENT | variables)
    return done.returncode, last_line(done.stderr)


def test_an_unknown_error_is_one_line_and_a_file_with_all_of_it(tmp_path: Path) -> None:
    code, line = ended(program("def f(): raise KeyError('x')\nf()"), tmp_path, TMPDIR=str(tmp_path))
    assert code == 1
    assert line.startswith("error: KeyError: 'x'; ")
    (report,) = tmp_path.glob("dminity-error-*.txt")
    assert str(report) in line
    assert "in f\n" in report.read_text()
    assert "\ntorch 2" in report.read_text()


def test_an_error_while_a_stage_is_imported_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "pandas.py").write_text("import libGL_is_not_there\n")
    path = f"{ROOT / 'src'}{os.pathsep}{tmp_path}"
    stage = [sys.executable, "-m", "dminity.stages.pick"]
    assert ended(stage, tmp_path, PYTHONPATH=path)[1].startswith(
        "error: ModuleNotFoundError: No module named 'libGL_is_not_there'"
    )


def test_a_library_that_is_not_installed_is_named_with_what_brings_it(tmp_path: Path) -> None:
    # Found nowhere, as in an environment without it.
    finder = "import sys\nsys.modules['pandas'] = None\n"
    hidden = f"{finder}from dminity.commands.__main__ import main\nsys.argv = ['dminity', 'check']"
    code, line = ended([sys.executable, "-c", f"{hidden}\nmain()"], tmp_path)
    assert code == 1
    assert line.startswith("error: pandas is not installed: pip install 'dminity[train]'")


def test_a_library_without_a_part_is_no_library_that_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "pandas.py").touch()
    (tmp_path / "pyarrow.py").touch()
    path = f"{ROOT / 'src'}{os.pathsep}{tmp_path}"
    line = ended(program("from dminity.data import tables"), tmp_path, PYTHONPATH=path)[1]
    assert line.startswith("error: ModuleNotFoundError: No module named 'pyarrow.")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-"])
def test_streams_that_are_closed_from_the_start(closed: str, tmp_path: Path) -> None:
    code = "print('x'); import sys; sys.stdin.buffer.read(); 1 / 0"
    command = shlex.join(program(code))
    assert "ZeroDivisionError" in ended(["sh", "-c", f"{command} {closed}"], tmp_path)[1]


def test_nothing_is_said_after_the_last_line(tmp_path: Path) -> None:
    noise = "import atexit, sys\natexit.register(print, 'more', file=sys.stderr)\n1 / 0"
    assert "ZeroDivisionError" in ended(program(noise), tmp_path)[1]


@pytest.mark.parametrize(
    "code",
    [
        "print('x' * 100_000)",
        "from dminity.commands.report_table import Terminal; Terminal().print('x')",
    ],
    ids=["printed", "of a table"],
)
def test_output_that_nobody_reads_any_more_is_one_line(code: str, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        program(code),
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 1
    assert "Broken pipe: what reads the output has ended" in last_line(done.stderr)


@pytest.mark.parametrize("arguments", [[], ["viw"], ["view", "--split", "tset"], ["check", "-x"]])
def test_wrong_arguments_are_one_line(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dminity.commands", *arguments]
    code, line = ended(command, tmp_path)
    assert (code, "--help" in line) == (2, True)


@pytest.mark.parametrize(
    ("number", "mend"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EDQUOT, "make room"),
        (errno.EROFS, "work in a folder that can be written to"),
        (errno.ENOTDIR, "a file is where a folder should be"),
        (errno.EISDIR, "a folder is where a file should be"),
        (errno.EACCES, "belongs to"),
        (errno.EPERM, "belongs to"),
        (errno.EIO, "fails"),
        (errno.ELOOP, "remove it"),
    ],
)
def test_what_the_system_refuses_is_named_with_the_path_and_a_mend(
    number: int, mend: str, tmp_path: Path
) -> None:
    path = tmp_path / "there" / "not there"
    line = ending.explained(OSError(number, os.strerror(number), str(path)))
    assert line.startswith(f"{path}: {os.strerror(number)}: ")
    assert mend in line


def test_a_limit_of_the_process_is_named_without_a_path() -> None:
    line = ending.explained(OSError(errno.EMFILE, os.strerror(errno.EMFILE)))
    assert line.startswith("Too many open files: raise the limit of open files")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("can't start new thread"),
        RuntimeError("BFCArena: Failed to allocate memory for requested buffer"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        OSError("out of memory when reading image file"),
    ],
)
def test_too_little_memory_is_named_with_what_to_lower(error: Exception) -> None:
    assert ending.explained(error).startswith("out of memory (")
    assert "lower train.batch_size" in ending.explained(error)


@pytest.mark.parametrize("error", [OSError("of a library"), OSError(errno.EINVAL, "Invalid")])
def test_what_the_system_refuses_without_a_mend_keeps_its_traceback(
    error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert f"please send {tmp_path}" in ending.explained(error)


def test_a_message_of_several_lines_becomes_one() -> None:
    assert ending.explained(DminityError("one\n  two")) == "one two"


def test_a_file_of_another_user_is_named_with_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = ending.user_name(tmp_path.stat().st_uid)
    # Root may do all, so that nothing is really forbidden here; another user asks.
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    line = ending.explained(PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "x")))
    assert f"{tmp_path} belongs to {owner}, and this runs as user 4000000000" in line


# Ctrl-C.


def interrupted(process: "subprocess.Popen[str]") -> str:
    """Send SIGINT; the last line of what the process wrote, its exit code being that of Ctrl-C."""
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=LIMIT_S)
    assert process.returncode == ending.INTERRUPTED, stderr
    return last_line(stderr)


def start(command: list[str], folder: Path) -> "subprocess.Popen[str]":
    """Start a command."""
    return processes.start(command, folder, ENVIRONMENT, stderr=subprocess.PIPE)


FOREVER = {
    "asleep": "time.sleep(9999)",
    "waiting for a thread": "threading.Thread(target=time.sleep, args=(9999,)).start()",
    "in C, where no handler of Python's runs": "hashlib.pbkdf2_hmac('sha1', b'', b'', 2**31 - 1)",
    "swallowed": "try:\n    time.sleep(9999)\nexcept KeyboardInterrupt:\n    time.sleep(9999)",
    "swallowed, and another exit code": (
        "try:\n    time.sleep(9999)\nexcept KeyboardInterrupt:\n    sys.exit(3)"
    ),
    "met by a destructor": (
        "class Slow:\n    def __del__(self): time.sleep(9999)\nSlow()\ntime.sleep(9999)"
    ),
}


@pytest.mark.parametrize("code", FOREVER.values(), ids=FOREVER.keys())
def test_ctrl_c_ends_a_program_that_is(code: str, tmp_path: Path) -> None:
    imports = "import hashlib, sys, threading, time\nprint('ready', flush=True)\n"
    process = start(program(imports + code), tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert "ended by Ctrl-C" in interrupted(process)


def hold(path: Path, process: "subprocess.Popen[str]") -> int:
    """Wait until the process reads a named pipe, and let it wait for what is in it."""
    while True:
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.01)


@pytest.mark.parametrize(
    "module",
    ["dminity.stages.pick", "dminity.commands check", "dminity.stages.train"],
)
def test_ctrl_c_ends_a_stage_and_a_command(module: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "params.yaml")
    process = start([sys.executable, "-m", *module.split()], tmp_path)
    pipe = hold(tmp_path / "params.yaml", process)
    try:
        assert "ended by Ctrl-C" in interrupted(process)
    finally:
        os.close(pipe)


def test_ctrl_c_ends_a_download_from_a_server_that_is_silent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        params = (ROOT / "params.yaml").read_text().replace("source: demo", "source: openimages")
        images = "images: s3://open-images-dataset"
        assert images in params
        (tmp_path / "params.yaml").write_text(params.replace(images, f"images: {address}/x"))
        rows = [("0" * 16, "train", "01-10", ["Bed"])]
        picked = pd.DataFrame(rows, columns=tables.IMAGES.names)
        tables.write(picked, tmp_path / "data/picked/01-10.parquet", tables.IMAGES)
        process = start([sys.executable, "-m", "dminity.stages.fetch", "01-10"], tmp_path)
        connection, _ = server.accept()
        with connection:
            assert "ended by Ctrl-C" in interrupted(process)


def test_a_job_that_ignores_ctrl_c_goes_on_ignoring_it(tmp_path: Path) -> None:
    code = "import signal\nassert signal.getsignal(signal.SIGINT) is signal.SIG_IGN"
    command = program(code)
    ignore = "import os, signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    quiet = f"{ignore}; os.execv({command[0]!r}, {command!r})"
    done = subprocess.run(
        [sys.executable, "-c", quiet], env=ENVIRONMENT, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0


def test_ctrl_c_after_the_work_is_done_changes_nothing(tmp_path: Path) -> None:
    code = "import os, signal\nending.finished()\nos.kill(os.getpid(), signal.SIGINT)"
    done = subprocess.run(program(code), env=ENVIRONMENT, timeout=LIMIT_S, check=False)
    assert done.returncode == 0
