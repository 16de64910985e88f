"""What tests of commands share."""

from pathlib import Path

import pytest

from tests.helpers.project import Project


@pytest.fixture
def clone(ran: Project, tmp_path: Path) -> Project:
    """A clone of a project whose pipeline has run, that shares its cache."""
    clone = ran.clone(tmp_path / "clone")
    clone.run("dvc", "config", "--local", "cache.dir", str(ran.folder / ".dvc/cache"))
    clone.run("dvc", "checkout", "--quiet")
    return clone
