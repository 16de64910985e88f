"""What dvc.yaml says of each stage, and what the code of each stage says of itself."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.helpers.project import ROOT

SRC = ROOT / "src"


def declared_stages() -> dict[str, dict[str, Any]]:
    """The stages of dvc.yaml by name; of a `foreach`, its `do`."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return {name: stage.get("do", stage) for name, stage in stages.items()}


def stage_file(name: str) -> Path:
    """The file with a stage's `main`."""
    return SRC / "dminity" / "stages" / f"{name}.py"


def first_party_modules(entry: Path) -> set[str]:
    """Every file of ours that running `entry` imports, itself included, relative to the root.

    Packages' `__init__.py` count where they hold more than a docstring.
    """
    seen: set[Path] = set()
    waiting = [entry]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += imported_files(path)
    return {path.relative_to(ROOT).as_posix() for path in seen if holds_code(path)}


def imported_files(path: Path) -> Iterator[Path]:
    """The files of ours that one file imports, with the packages that they are in."""
    for name in imported_names(path):
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            place = SRC.joinpath(*parts[:length])
            yield from (
                file for file in (place.with_suffix(".py"), place / "__init__.py") if file.exists()
            )


def imported_names(path: Path) -> Iterator[str]:
    """The dotted names that a file imports from this project."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide what is imported"
            # `from package import module` and `from module import name` look the same.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "dminity")


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
