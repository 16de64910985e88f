"""The commands of the image, run without a container: a bare environment, another user."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.helpers import processes
from tests.helpers.photos import jpeg
from tests.helpers.project import ROOT, Project, environment
from tests.helpers.service import Service, wait_for

pytestmark = pytest.mark.slow

# Without a name, as in the image.
USER = 65532
CONTAINER = ROOT / "container"


@pytest.fixture(scope="module")
def place(bright: Path) -> Iterator[Path]:
    """A folder that any user may read, with the environment and the model."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "project").mkdir()
        project = Project.copy(place / "project")
        python = readable_python() or sys.executable
        project.run("env", f"PYTHON={python}", "container/commands.sh", "install", f"{place}/opt")
        (place / "srv/models").mkdir(parents=True)
        shutil.copy(bright, place / "srv/models/model.onnx")
        for path in place.rglob("srv/**/*"):
            path.chmod(0o755)
        yield place


def readable_python() -> str | None:
    """A Python that any user may run; this one may lie in a folder of root's."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        path = Path(python).resolve()
        readable = path.exists() and all(
            folder.stat().st_mode & 0o005 == 5 for folder in path.parents
        )
        code = "import sys; sys.exit(sys.version_info < (3, 11))"
        if readable and subprocess.run([python, "-c", code], check=False).returncode == 0:
            return python
    return None


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as trial:
        return int(trial.getsockname()[1])


def test_the_environment_serves_as_another_user(place: Path, tmp_path: Path) -> None:
    commands, port = CONTAINER / "commands.sh", free_port()
    # The script has to be where that user may read it, as in the image.
    script = str(shutil.copy(commands, place / "commands.sh"))
    other = USER if os.geteuid() == 0 and readable_python() else None
    surroundings = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "HOME": "/nonexistent",
        "PATH": os.environ["PATH"],
    }
    before = sorted(place.rglob("*"))
    health = [script, "health", str(place / "opt")]
    assert subprocess.run(
        health, env=surroundings, stderr=subprocess.DEVNULL, check=False
    ).returncode
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [script, "serve", str(place / "opt"), "--workers", "1"],
            cwd=place / "srv",
            env=surroundings | {"PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stderr=log,
            user=other,
            group=other,
            extra_groups=None if other is None else [],
        )
    try:
        service = Service(process, port, tmp_path / "log")
        wait_for(lambda: process.poll() is not None or is_well(health, surroundings), "no start")
        assert process.poll() is None, service.log.read_text()
        assert service.detect(jpeg()).json["photos"][0]["detections"][0]["class"] == "Bed"
        process.send_signal(signal.SIGTERM)
        assert process.wait(processes.LIMIT_S) == 0
    finally:
        process.kill()
        process.wait()
    assert sorted(place.rglob("*")) == before


def is_well(command: list[str], surroundings: dict[str, str]) -> bool:
    """Whether the health check says so; it is asked a few times a second."""
    time.sleep(0.3)
    done = subprocess.run(command, env=surroundings, stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def test_only_what_serves_is_installed(place: Path) -> None:
    code = "from importlib.metadata import distributions\nprint(*(d.name for d in distributions()))"
    done = processes.run([place / "opt/bin/python", "-c", code])
    installed = set(done.stdout.lower().replace("_", "-").split())
    assert {"dminity", "fastapi", "uvicorn", "prometheus-client", "python-multipart"} < installed
    assert not installed & {"pip", "uv", "setuptools", "torch", "pandas", "dvc", "hatchling"}
    assert len(installed) < 35


def test_the_dockerfile_is_sound() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = processes.run([hadolint, CONTAINER / "Dockerfile"], environment=environment())
    assert done.returncode == 0, done.stdout


def test_what_is_copied_is_there_and_goes_into_the_image() -> None:
    allowed = (CONTAINER / "Dockerfile.dockerignore").read_text().splitlines()
    for line in (CONTAINER / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
                assert any(rule.startswith(f"!{source}") for rule in allowed), source


def test_compose_gives_the_service_little() -> None:
    (service,) = yaml.safe_load((CONTAINER / "compose.yaml").read_text())["services"].values()
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert (CONTAINER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
