"""What `dminity --help` costs."""

import re
import sys

import pytest

from tests.helpers import processes

# Each takes a tenth of a second and more to import.
HEAVY = {
    "cv2", "dvc", "fastapi", "fiftyone", "lightning", "matplotlib", "numpy", "onnxruntime",
    "pandas", "pydantic", "rich", "torch", "uvicorn",
}  # fmt: skip
COMMANDS = (
    "predict", "listing", "site", "serve", "check", "compare", "pr-report", "seeds", "ladder",
    "view",
)  # fmt: skip
MODULES = """
import sys
from dminity.commands.__main__ import main
sys.argv = {arguments!r}
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
print(*sys.modules)
"""


@pytest.mark.parametrize("arguments", [["--help"], *([command, "--help"] for command in COMMANDS)])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = MODULES.format(arguments=["dminity", *arguments])
    done = processes.run([sys.executable, "-c", code])
    assert done.returncode == 0, done.stderr
    help_text, _, modules = done.stdout.strip().rpartition("\n")
    assert "usage: dminity" in help_text
    assert not HEAVY & set(modules.split())


def test_help_names_every_subcommand() -> None:
    command = [sys.executable, "-m", "dminity.commands", "--help"]
    done = processes.run(command)
    assert done.returncode == 0, done.stderr
    # A long name has a line of its own.
    assert all(re.search(rf"\n    {command}\s", done.stdout) for command in COMMANDS)
