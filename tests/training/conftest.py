"""What tests of training share."""

from pathlib import Path

import pytest

from tests.helpers.room_folder import make_room_folder
from tests.helpers.training_runs import COUNTS


@pytest.fixture(scope="session")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VOC folder of rooms."""
    return make_room_folder(tmp_path_factory.mktemp("training") / "voc", COUNTS)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Away from this repository, which DVCLive would take for the one of the run."""
    monkeypatch.chdir(tmp_path)
