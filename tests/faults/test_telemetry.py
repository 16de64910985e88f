"""Nothing is reported to anyone: no name is looked up, and no id of this machine is left."""

import sys
from pathlib import Path

import pytest

from tests.helpers import processes
from tests.helpers.name_watch import has_namespaces, names_looked_up
from tests.helpers.project import Project, environment

WATCHES = [
    pytest.param(
        True,
        id="a name server",
        marks=pytest.mark.skipif(not has_namespaces(), reason="no user namespaces here"),
    ),
    pytest.param(False, id="Python's own audit"),
]
VIEW = """
from dminity.commands.database import run_database
from dminity.commands.fiftyone_dataset import build_dataset
from dminity.commands.mistakes import judge
from dminity.commands.split_detections import find
from dminity.core.stage import VOC
from dminity.data import voc
annotations = voc.read_split(VOC, "test", voc.read_classes(VOC))
run_database()
print(len(judge(build_dataset(VOC, "test", annotations, find("test", annotations)))))
"""
COMMANDS = [
    [sys.executable, "-m", "dminity.stages.export"],
    [sys.executable, "-m", "dminity.stages.evaluate"],
    [sys.executable, "-m", "dminity.stages.train"],
    [sys.executable, "-m", "dminity.commands", "check"],
    [sys.executable, "-c", VIEW],
    ["dvc", "status"],
]


@pytest.mark.parametrize("namespaces", WATCHES)
def test_the_watch_sees_what_is_looked_up(tmp_path: Path, namespaces: bool) -> None:
    ask = "import socket\ntry: socket.getaddrinfo('seen.test', 80)\nexcept OSError: pass"
    command = [sys.executable, "-c", ask]
    assert set(names_looked_up(command, tmp_path, tmp_path, namespaces)) == {"seen.test"}


@pytest.mark.skipif(not has_namespaces(), reason="no user namespaces here")
def test_the_watch_sees_programs_that_are_not_python(tmp_path: Path) -> None:
    command = ["sh", "-c", "getent hosts seen.test || true"]
    assert set(names_looked_up(command, tmp_path, tmp_path, True)) == {"seen.test"}


@pytest.mark.slow
def test_nothing_is_looked_up_and_no_id_is_left(project: Project, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    namespaces = has_namespaces()
    for command in COMMANDS:
        assert names_looked_up(command, project.folder, home, namespaces) == [], command
    left = {path.relative_to(home).parts[:2] for path in home.rglob("*") if path.is_file()}
    # FiftyOne notes there that it has said welcome; Matplotlib keeps its list of fonts.
    assert left <= {(".fiftyone", "var"), (".cache", "matplotlib"), (".config", "matplotlib")}, left
    assert not list(home.rglob("uid")), "FiftyOne's id of this user"


@pytest.mark.parametrize("value", ["1", "0"])
def test_a_variable_that_is_set_stays_as_it_is(tmp_path: Path, value: str) -> None:
    code = "import os, dminity; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    surroundings = environment() | {"ORT_DISABLE_TELEMETRY": value}
    assert (
        processes.run([sys.executable, "-c", code], tmp_path, surroundings).stdout == f"{value}\n"
    )
