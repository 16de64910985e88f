"""A copy of this project in a folder of its own, with its own Git and DVC, to run for real."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.helpers import processes

ROOT = Path(__file__).parents[2]
DATA_STAGES = ["index", "pick", "fetch", "merge", "check", "resize", "voc"]
MODEL_STAGES = ["train", "evaluate", "export", "report"]
# The smallest run in which every stage does its work.
TINY: dict[str, Any] = {
    "demo": {"train": 20, "validation": 6, "test": 6},
    "image_size": 160,
    "train": {"input_size": 96, "epochs": 1, "batch_size": 4, "workers": 0},
    "evaluate": {"batch_size": 4, "pictures": 2},
}


class Project:
    """A working tree; commands run in it as a user would type them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def copy(cls, folder: Path) -> "Project":
        """The files that Git would commit here, committed there, without their history."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        # This checkout's results are not the copy's.
        (folder / "dvc.lock").unlink(missing_ok=True)
        project = cls(folder)
        project.run("git", "init", "--quiet", "--initial-branch=main")
        project.commit("Begin")
        return project

    def clone(self, folder: Path) -> "Project":
        """A clone by Git."""
        self.run("git", "clone", "--quiet", str(self.folder), str(folder))
        return Project(folder)

    def run(self, *command: str, fails: bool = False) -> str:
        """Run a command; return what it printed. `fails` says which outcome is the right one."""
        done = processes.run(command, self.folder, environment(), subprocess.STDOUT)
        output = done.stdout
        assert bool(done.returncode) == fails, f"{command}: {done.returncode}\n{output}"
        return output

    def commit(self, message: str) -> None:
        """Commit all that Git does not ignore."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)

    def set_params(self, changes: dict[str, Any]) -> None:
        """Change params.yaml, one level of sections deep."""
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        for name, value in changes.items():
            params[name] = params[name] | value if isinstance(value, dict) else value
        path.write_text(yaml.safe_dump(params, sort_keys=False))


def environment() -> dict[str, str]:
    """This process's environment, with our programs first and nobody's settings or secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@localhost",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@localhost",
    }


def run_module(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a module of ours in a folder, as DVC runs a stage."""
    return processes.run(
        [sys.executable, "-m", *command],
        folder,
        environment() | {"PYTHONPATH": str(ROOT / "src")},
    )


def checksums(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file in the folders that stages write."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for room in ("data", "models", "metrics")
        for path in sorted((folder / room).rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def stages_run(output: str) -> set[str]:
    """The stages that DVC says it ran, buckets aside."""
    names = [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]
    return {name.partition("@")[0] for name in names}
