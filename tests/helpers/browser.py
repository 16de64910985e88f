"""A real browser, and the page in it as its visitors use it."""

import base64
import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

from tests.helpers.processes import LIMIT_S

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
NPM = shutil.which("npm")
# A file that is dropped, or pasted.
TRANSFER = """files => {
  const transfer = new DataTransfer();
  for (const [name, type, content] of files) {
    const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type }));
  }
  return transfer;
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window; the test is skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("there is no browser: apt-get install chromium")
    with sync_playwright() as playwright:
        # Root is allowed to run it only without its sandbox.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=LIMIT_S * 1000
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """A first visit: the page in a context of its own, ready; no error goes unhandled in it.

    Args:
        browser: that it is opened in.
        address: of the site.
        **options: of Playwright's `new_context`.
    """
    context = browser.new_context(**options)
    # Far off: a busy machine is no failure.
    context.set_default_timeout(LIMIT_S * 1000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/")
    wait_until_ready(page)
    yield page
    context.close()
    assert errors == []


def wait_until_ready(page: Page) -> None:
    """Wait until the detector is there."""
    page.wait_for_selector("body[data-ready]")


def choose(page: Page, files: Mapping[str, bytes]) -> None:
    """Choose photos by the button, and wait until they were looked at."""
    page.set_input_files(
        "#choose",
        [FilePayload(name=name, mimeType="", buffer=content) for name, content in files.items()],
    )
    wait_until_seen(page)


def wait_until_seen(page: Page) -> None:
    """Wait until all photos were looked at."""
    page.wait_for_selector("#status:text-matches('looked at, ')")


def transfer(page: Page, files: Mapping[str, bytes]) -> Any:
    """Files as the clipboard or the mouse has them."""
    contents = [
        (name, "image/png", base64.b64encode(content).decode()) for name, content in files.items()
    ]
    return page.evaluate_handle(TRANSFER, contents)


# Class, score, corners.
Box = tuple[str, float, list[float]]


def boxes(page: Page) -> list[Box]:
    """Class, score and corners of all boxes that the page shows, photo by photo."""
    return [
        (
            str(box.get_attribute("data-class")),
            float(box.get_attribute("data-score") or "nan"),
            [float(side) for side in str(box.get_attribute("data-corners")).split()],
        )
        for box in page.query_selector_all(".box")
    ]


def listed(page: Page) -> list[str]:
    """The amenities that the page says the home has."""
    return page.locator("#listed strong").all_text_contents()


def downloaded(page: Page, button: str) -> str:
    """What a button lets a visitor save."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    return Path(waiting.value.path()).read_text(encoding="utf-8")


def downloaded_json(page: Page, button: str) -> Any:
    """What a button lets a visitor save, as an object."""
    return json.loads(downloaded(page, button))


def halves(left: int, right: int, size: tuple[int, int] = (64, 64)) -> bytes:
    """A photo, gray, whose halves are so bright (0-255), as a PNG."""
    photo = Image.new("L", size, right)
    photo.paste(left, (0, 0, size[0] // 2, size[1]))
    file = io.BytesIO()
    photo.save(file, "PNG")
    return file.getvalue()


def tabbed_to(page: Page, selector: str, most: int = 60) -> None:
    """Press the tab key until an element has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"the tab key does not lead to {selector}")


def names(found: Sequence[Box]) -> list[str]:
    """The classes of boxes, in their order."""
    return [name for name, _, _ in found]


def network_of(site: Path) -> Path:
    """The network in a folder of the page."""
    (path,) = site.glob("model-*.onnx")
    return path
