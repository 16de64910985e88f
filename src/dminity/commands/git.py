"""Git's own commands."""

import subprocess
from pathlib import Path

from dminity.core.errors import DminityError


class GitRefused(DminityError):
    """Git did not do what it was asked to."""


def git(folder: Path, *arguments: str | Path) -> str:
    """What a command of Git prints in a folder, without the blanks around it.

    Raises:
        GitRefused: with the last line of what Git says.
    """
    command = ["git", "-C", str(folder), *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError as error:
        raise GitRefused("there is no git here: install it") from error
    if done.returncode:
        said = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise GitRefused(f"git {arguments[0]} in {folder}: {said}")
    return done.stdout.strip()
