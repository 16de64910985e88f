"""The command `dminity`, run as a user types it."""

import subprocess
import sys
from pathlib import Path

from tests.helpers.processes import LIMIT_S
from tests.helpers.project import ROOT, environment

ENVIRONMENT = environment() | {"PYTHONPATH": str(ROOT / "src")}


def dminity(
    folder: Path, *arguments: str | Path, stdin: bytes = b"", prelude: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run it in a folder; `prelude` is Python that comes before."""
    program = f"{prelude}\nfrom dminity.commands.__main__ import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=folder,
        env=ENVIRONMENT,
        input=stdin,
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def errors(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """The lines on stderr that say what went wrong; the last line is one, nothing is a page."""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert "Traceback" not in done.stderr
    said = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    assert bool(said) == bool(done.returncode), done.stderr
    if said:
        assert lines[-1].startswith("error: "), done.stderr
    others = [line for line in lines if not line.startswith(("error: ", "looked at: "))]
    assert not others, done.stderr
    return said
