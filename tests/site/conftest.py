"""The page as a folder, made once, and a browser for each file of tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dminity.site.assembly import write_site
from tests.conftest import made_once
from tests.helpers.browser import NPM, chromium
from tests.helpers.http_server import http_server
from tests.helpers.onnx_models import write_bright_model


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ONNX Runtime Web is kept, which npm fetches once."""
    if NPM is None:
        pytest.skip("there is no npm, which fetches ONNX Runtime Web: apt-get install npm")
    return made_once(tmp_path_factory, "onnxruntime-web", lambda _: None)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """The page with a model that takes bright halves for beds and sinks; to be read only."""

    def make(folder: Path) -> None:
        write_site(folder / "site", write_bright_model(folder / "model.onnx"), cache)

    return made_once(tmp_path_factory, "site", make) / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running browser. Its event loop would be in the way of other files' tests."""
    with chromium() as running:
        yield running


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """The page on a plain server of static files."""
    with http_server(site) as running:
        yield running
