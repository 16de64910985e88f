"""A service that many tests share: what they send it changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.onnx_models import write_bright_model
from tests.helpers.service import Service, serving


@pytest.fixture(scope="session")
def bright(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that sees a bed where the left half of a photo is bright; to be read only."""
    return write_bright_model(tmp_path_factory.mktemp("bright") / "model.onnx")


@pytest.fixture(scope="session")
def service(bright: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of that model, with small limits of size."""
    log = tmp_path_factory.mktemp("service") / "log"
    with serving(bright, "--limit-mb", "2", "--limit-photos", "5", log=log) as started:
        yield started
