"""Ports that `dminity view` is asked for: refused in a line before anything is started."""

import socket
import sys
from pathlib import Path

import pytest

from tests.helpers import processes
from tests.helpers.project import environment, run_module


@pytest.mark.parametrize("port", ["80x", "0", "70000", "-1", "", "1e3"])
def test_a_port_that_is_none_is_one_line(tmp_path: Path, port: str) -> None:
    done = run_module(tmp_path, "dminity.commands", "view", f"--port={port}")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"error: --port is {port!r}, not a number from 1 to 65535; choose another by --port"
    )


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = run_module(tmp_path, "dminity.commands", "view", "--port", port)
    assert done.returncode == 1
    assert done.stderr.strip() == f"error: port {port} is taken; choose another by --port"
    assert not (tmp_path / ".fiftyone").exists()


REFUSED = """
import socket, sys
def bind(*_):
    raise PermissionError(13, "Permission denied")
socket.socket = type("Socket", (socket.socket,), {"bind": bind})
from dminity.commands.__main__ import main
sys.argv[1:] = ["view", "--port", "80"]
main()
"""


def test_a_port_for_root_only_is_one_line(tmp_path: Path) -> None:
    done = processes.run([sys.executable, "-c", REFUSED], tmp_path, environment())
    assert done.returncode == 1
    assert done.stderr.strip() == "error: port 80 is for root only; choose another by --port"
