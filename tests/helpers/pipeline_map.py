"""What dvc.yaml says of each stage, and what the code of each stage says of itself.

`make map` runs this file: it writes parameters and dependencies on code into dvc.yaml.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.helpers.project import ROOT

SRC = ROOT / "src"
PACKAGE = SRC / "dminity"
DVC_YAML = ROOT / "dvc.yaml"
# It refuses what is wrong in params.yaml and decides no value: nothing depends on it.
PARAMS = PACKAGE / "params.py"
# These are listed whole, whatever a stage imports of them.
WHOLE_ROOMS = {PACKAGE / name for name in ("core", "remote", "detection", "network")}


def declared_stages() -> dict[str, dict[str, Any]]:
    """The stages of dvc.yaml by name; of a `foreach`, its `do`."""
    stages = yaml.safe_load(DVC_YAML.read_text(encoding="utf-8"))["stages"]
    return {name: stage.get("do", stage) for name, stage in stages.items()}


def stage_file(name: str) -> Path:
    """The file with a stage's `main`."""
    return PACKAGE / "stages" / f"{name}.py"


def dependencies(entry: Path) -> list[str]:
    """The files and folders of code that a stage depends on, relative to the root, sorted.

    A room is listed where all of its modules are imported, or any of one of WHOLE_ROOMS; of other
    rooms, the files that are.
    """
    needed = first_party_modules(entry)
    return sorted(path.relative_to(ROOT).as_posix() for path in folded(PACKAGE, needed))


def folded(folder: Path, needed: set[Path]) -> Iterator[Path]:
    """The needed files below a folder, with folders in place of files where the rule says so."""
    for path in sorted(folder.iterdir()):
        if path in needed:
            yield path
        elif path.is_dir():
            below = {file for file in path.rglob("*.py") if holds_code(file)}
            listed_whole = bool(below & needed) if path in WHOLE_ROOMS else below <= needed
            yield from [path] if below and listed_whole else folded(path, needed)


def first_party_modules(entry: Path) -> set[Path]:
    """Every file of ours that decides what running `entry` does, itself included.

    Those are the files that it imports, directly or not, and those that say what the parameters
    that it reads mean. Packages' `__init__.py` count where they hold more than a docstring.
    """
    seen: set[Path] = {PARAMS}
    waiting = [entry, *settings_files(entry)]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += imported_files(path)
    return {path for path in seen - {PARAMS} if holds_code(path)}


def settings_files(entry: Path) -> Iterator[Path]:
    """The files with the types of the parameters that a stage reads."""
    tree = ast.parse(PARAMS.read_text(encoding="utf-8"))
    home = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    read = read_parameters(entry)
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) in read:
            for part in ast.walk(node.annotation):
                module = home.get(part.id, "") if isinstance(part, ast.Name) else ""
                if module.startswith("dminity."):
                    yield SRC.joinpath(*module.split(".")).with_suffix(".py")


def imported_files(path: Path) -> Iterator[Path]:
    """The files of ours that one file imports, with the packages that they are in."""
    for name in imported_names(path):
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            place = SRC.joinpath(*parts[:length])
            yield from (
                file for file in (place.with_suffix(".py"), place / "__init__.py") if file.exists()
            )


@cache
def imported_names(path: Path) -> tuple[str, ...]:
    """The dotted names that a file imports from this project."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide what is imported"
            # `from package import module` and `from module import name` look the same.
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(name for name in found if name.split(".")[0] == "dminity")


@cache
def holds_code(path: Path) -> bool:
    """Whether a file does more than carry a docstring."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(not isinstance(node, ast.Expr) for node in body)


def read_parameters(entry: Path) -> set[str]:
    """The parameters that a stage reads: every name that follows `params.` in its file."""
    return {
        node.attr
        for node in ast.walk(ast.parse(entry.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "params"
    }


def mapped(pipeline: str) -> str:
    """A dvc.yaml's text with the parameters and the dependencies on code of all stages anew."""
    stages = set(declared_stages())
    lines: list[str] = []
    stage = ""
    for line in pipeline.splitlines():
        if (found := re.fullmatch(r"  (\w+):", line)) and found[1] in stages:
            stage = found[1]
        code = re.fullmatch(r"( +- )src/.*", line)
        if params := re.fullmatch(r"( +params: )\[.*\]", line):
            lines.append(f"{params[1]}[{', '.join(sorted(read_parameters(stage_file(stage))))}]")
        elif not code:
            lines.append(line)
        elif not lines[-1].startswith(f"{code[1]}src/"):
            lines += [f"{code[1]}{path}" for path in dependencies(stage_file(stage))]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DVC_YAML.write_text(mapped(DVC_YAML.read_text(encoding="utf-8")), encoding="utf-8")
