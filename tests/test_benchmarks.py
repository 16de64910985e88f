"""Benchmarks can be started: what they import is there, in the programs that they start too."""

import ast
import importlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.helpers.project import ROOT

FILES = sorted((ROOT / "benchmarks").glob("*.py"))
OURS = ("dminity", "benchmarks", "tests")


def programs(path: Path) -> Iterator[ast.Module]:
    """A file, and the programs that stand in it as text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield tree
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and ("\nimport " in text or "\nfrom " in text):
            yield ast.parse(text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_benchmark_imports_is_there(path: Path) -> None:
    for program in programs(path):
        for node in ast.walk(program):
            if isinstance(node, ast.ImportFrom):
                assert node.module
                if node.module.split(".")[0] in OURS or node.level:
                    module = importlib.import_module(node.module)
                    for alias in node.names:
                        name = f"{node.module}.{alias.name}"
                        # A module of a package is no name in it before it is imported.
                        assert hasattr(module, alias.name) or find_spec(name), name
                else:
                    assert node.module not in {file.stem for file in FILES}, node.module
