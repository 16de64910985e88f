"""What starts other programs ends them, however it ends itself."""

import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.helpers import processes
from tests.helpers.project import ROOT, environment

# It says what it started, then waits until it is ended.
PARENT = """
import subprocess, sys, time
from dminity.core.child import ended_with_us
print(subprocess.Popen(ended_with_us(["sleep", "7200"], {number})).pid, flush=True)
time.sleep(7200)
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_child_ends_with_its_parent(tmp_path: Path, how: signal.Signals) -> None:
    code = PARENT.format(number=int(signal.SIGTERM))
    process = processes.start([sys.executable, "-c", code], tmp_path, environment())
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))
    process.send_signal(how)
    child.wait(processes.LIMIT_S)


def test_a_child_whose_parent_ended_before_it_is_not_begun(tmp_path: Path) -> None:
    """As if the parent had been killed in the moment in which the child was started."""
    nobody = "0"
    child = [sys.executable, "-m", "dminity.core.child", "9", nobody, "touch", "begun"]
    assert processes.run(child, tmp_path, environment()).returncode == 0
    assert not (tmp_path / "begun").exists()


def test_a_test_ends_what_its_programs_started_in_groups_of_their_own(tmp_path: Path) -> None:
    code = "import os, subprocess, time\n"
    code += "print(subprocess.Popen(['sleep', '7200'], process_group=0).pid, flush=True)\n"
    code += "time.sleep(7200)"
    process = processes.start([sys.executable, "-c", code], tmp_path)
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))
    processes.end(process)
    child.wait(processes.LIMIT_S)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_s3_server_leaves_nothing_running(tmp_path: Path, how: signal.Signals) -> None:
    """`make s3`, ended by SIGTERM, as by Ctrl-C, or by SIGKILL, which it cannot notice."""
    (tmp_path / ".dvc").mkdir()
    config = "[core]\n    no_scm = true\n['remote \"storage\"']\n    url = s3://nowhere\n"
    (tmp_path / ".dvc/config").write_text(config)
    process = processes.start(
        [sys.executable, "-m", "tests.helpers.s3_server"],
        tmp_path,
        environment() | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("S3 server at"):
            break
    local = (tmp_path / ".dvc/config.local").read_text()
    assert "url = s3://dminity\n" in local
    assert f"endpointurl = {line.split()[3].rstrip(',')}\n" in local
    (server,) = psutil.Process(process.pid).children()
    assert server.name() == "weed"
    process.send_signal(how)
    server.wait(processes.LIMIT_S)
    output, _ = process.communicate(timeout=processes.LIMIT_S)
    assert "Traceback" not in output
    assert process.returncode == (-how if how == signal.SIGKILL else 0)
