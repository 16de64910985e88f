"""The architecture: floors, public names, and a line for every file in CONTRIBUTING.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.pipeline_map import PACKAGE, holds_code, imported_names
from tests.helpers.project import ROOT

# From the ground up: a room imports rooms of the floors below it, and none of its own floor.
FLOORS = (
    ("core",),
    ("detection", "remote"),
    ("data", "runtime"),
    ("sources", "loader", "network", "service"),
    ("evaluation", "export", "site"),
    ("training", "report"),
    ("params",),
    ("stages",),
    ("commands",),
)


@pytest.mark.parametrize("room", [room for floor in FLOORS for room in floor])
def test_imports_point_downwards(room: str) -> None:
    floor = next(number for number, rooms in enumerate(FLOORS) if room in rooms)
    allowed = {room}.union(*FLOORS[:floor])
    files = list((PACKAGE / room).rglob("*.py")) or [PACKAGE / f"{room}.py"]
    for path in files:
        for name in imported_names(path):
            assert name.split(".")[1] in allowed, f"{path.relative_to(ROOT)} imports {name}"


def test_every_room_has_its_floor() -> None:
    files = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")}
    rooms = {name.removesuffix(".py") for name in files - {"__init__.py"}}
    assert rooms == {room for floor in FLOORS for room in floor}


def functions(path: Path) -> Iterator[str]:
    """The functions of a module, methods aside."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    yield from (node.name for node in body if isinstance(node, ast.FunctionDef))


def names_taken(text: str) -> Iterator[str]:
    """What a module imports, and what it takes of modules, as `module.name`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def test_a_function_that_no_other_file_names_begins_with_an_underscore() -> None:
    # A subcommand's functions are called by the name of its module, a stage's `main` by its own.
    called = {"add_parser", "run", "main"}
    texts = {
        path: path.read_text(encoding="utf-8")
        for folder in ("src", "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
    }
    words = {path: set(re.findall(r"\w+", text)) for path, text in texts.items()}
    taken = {path: set(names_taken(text)) for path, text in texts.items()}
    for path in PACKAGE.rglob("*.py"):
        for name in set(functions(path)) - called:
            others = [other for other in texts if other != path and name in words[other]]
            assert others or name.startswith("_"), f"{path.relative_to(ROOT)}: {name}"
            if name.startswith("_"):
                by = [
                    other.name for other in others if taken[other] & {name, f"{path.stem}.{name}"}
                ]
                assert not by, f"{path.relative_to(ROOT)}: {name} is taken by {by}"


def test_every_file_has_a_line_in_the_architecture() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tree = text.partition("## Architecture")[2].partition("\n## ")[0]
    listed: set[str] = set()
    room = ""
    for line in tree.splitlines():
        if found := re.match(r"([a-z_/]+)/  ", line):
            room = f"{found[1]}/"
        elif found := re.match(r"  (\w+) +\S", line):
            listed.add(f"{room}{found[1]}")
        elif found := re.match(r"(\w+)\.py  ", line):
            listed.add(found[1])
    files = {path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py")}
    there = {path.as_posix() for path in files if holds_code(PACKAGE / path.with_suffix(".py"))}
    assert listed == there
