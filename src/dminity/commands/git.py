"""Git's own commands."""

import os
import subprocess
from pathlib import Path

from dminity.core.errors import DminityError

# Which repository is meant: Git says it to hooks and aliases, and what they call in the folder of
# another one would change that of the hook.
_REPOSITORY = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX",
)  # fmt: skip


class NoGit(DminityError):
    """Git is not installed."""


class GitRefused(DminityError):
    """Git did not do what it was asked to."""


def git(folder: Path, *arguments: str | Path) -> str:
    """What a command of Git prints in a folder, without the blanks around it.

    Raises:
        NoGit: if there is none.
        GitRefused: with the last line of what Git says.
    """
    command = ["git", "-C", str(folder), *map(str, arguments)]
    try:
        done = subprocess.run(  # noqa: S603
            command, env=environment(), capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise NoGit("there is no git here: install it") from error
    if done.returncode:
        said = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise GitRefused(f"git {arguments[0]} in {folder}: {said}")
    return done.stdout.strip()


def environment() -> dict[str, str]:
    """This process's environment, in which Git goes by the folder that it is called in."""
    return {name: value for name, value in os.environ.items() if name not in _REPOSITORY}
