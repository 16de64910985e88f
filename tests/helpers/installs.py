"""Environments as users have them: the built wheel, or another package, and what it asks for."""

import sys
from pathlib import Path

from tests.helpers import processes
from tests.helpers.project import ROOT, environment

LOCK = ROOT / "requirements.lock"


def build_wheel(folder: Path) -> Path:
    """Build this project's wheel into an empty folder, with nothing but what is installed here."""
    options = ["--wheel", "--offline", "--no-build-isolation", "--python", sys.executable]
    run(folder, "uv", "build", "--quiet", *options, "--out-dir", folder, ROOT)
    (path,) = folder.glob("*.whl")
    return path


def install(folder: Path, *arguments: str | Path) -> Path:
    """Make an environment and install into it; the folder of its programs.

    Args:
        folder: an empty one.
        arguments: of `uv pip install`.
    """
    run(folder, "uv", "venv", "--quiet", "--python", sys.executable, folder / "venv")
    programs = folder / "venv" / "bin"
    run(folder, "uv", "pip", "install", "--quiet", "--python", programs / "python", *arguments)
    return programs


def run(folder: Path, *command: str | Path, fails: bool = False) -> str:
    """Run a program that knows nothing of this checkout; what it prints, or says if it `fails`."""
    surroundings = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    done = processes.run(command, folder, surroundings)
    assert bool(done.returncode) == fails, f"{command}: {done.returncode}\n{done.stderr}"
    return done.stderr if fails else done.stdout
