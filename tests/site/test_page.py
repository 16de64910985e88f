"""The page in a real browser, as its visitors use it: with a mouse, a keyboard, a phone."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from dminity.site.assembly import write_site
from tests.helpers.browser import (
    boxes,
    choose,
    downloaded,
    downloaded_json,
    halves,
    listed,
    names,
    network_of,
    tabbed_to,
    transfer,
    visit,
    wait_until_ready,
    wait_until_seen,
)
from tests.helpers.http_server import http_server
from tests.helpers.onnx_models import write_bright_model
from tests.helpers.photos import jpeg
from tests.helpers.programs import dminity
from tests.helpers.recording_server import recording_server
from tests.helpers.service import serving

pytestmark = pytest.mark.slow

BED, SINK, BOTH, DARK = halves(204, 0), halves(0, 153), halves(180, 230), halves(0, 0)
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
}


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page at its first visit."""
    with visit(browser, address) as opened:
        yield opened


def test_photos_are_dropped(page: Page) -> None:
    page.dispatch_event(
        "body", "drop", {"dataTransfer": transfer(page, {"b.png": SINK, "a.png": BED})}
    )
    wait_until_seen(page)
    assert page.locator("#photos figcaption .name").all_text_contents() == ["a.png", "b.png"]
    found = boxes(page)
    assert names(found) == ["Bed", "Sink"]
    assert [score for _, score, _ in found] == pytest.approx([204 / 255, 153 / 255], abs=1e-4)
    assert [corners for _, _, corners in found] == [[0, 0, 32, 64], [32, 0, 64, 64]]
    assert page.locator("#listed .soft").all_text_contents() == [
        "at least 1 · 80% sure",
        "a.png",
        "at least 1 · 60% sure",
        "b.png",
    ]


def test_a_picture_is_pasted(page: Page) -> None:
    page.evaluate(
        "data => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }))",
        transfer(page, {"image.png": BOTH}),
    )
    wait_until_seen(page)
    assert sorted(names(boxes(page))) == ["Bed", "Sink"]


def test_a_broken_file_is_one_line_and_the_others_go_on(page: Page) -> None:
    files = {
        "a.jpg": jpeg()[:300],
        "b.jpg": b"",
        "c.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "d.heic": b"\0\0\0\x18ftypheic",
        "e.txt": b"no photo",
        "f.png": BED,
    }
    choose(page, files)
    assert page.locator("#failed li").all_text_contents() == [
        "a.jpg: it is cut off or damaged",
        "b.jpg: it is empty",
        "c.svg: it is a web page or a drawing (HTML, SVG, XML), no photo",
        "d.heic: it is a HEIC photo, which this browser does not read: save it as JPEG",
        "e.txt: it is no photo, or of a kind that this browser does not read",
    ]
    assert listed(page) == ["Bed"]
    assert page.text_content("#status") == (
        "1 photo looked at, 1 amenity found. 5 could not be read."
    )
    failed = downloaded_json(page, "This list (JSON)")["failed"]
    assert [item["photo"] for item in failed] == list(files)[:5]


def test_the_slider_decides_how_sure_it_has_to_be(page: Page) -> None:
    choose(page, {"bed.png": BED, "sink.png": SINK, "faint.png": halves(0, 51)})
    assert listed(page) == ["Bed", "Sink"]
    page.locator("#score").fill("70")
    page.wait_for_selector("#listed li >> nth=0")
    page.wait_for_selector("#listed li >> nth=1", state="detached")
    assert listed(page) == ["Bed"]
    assert names(boxes(page)) == ["Bed"]
    assert page.text_content("#score-shown") == "70% or more"
    page.locator("#score").fill("15")
    page.wait_for_selector("#listed li >> nth=1")
    assert names(boxes(page)) == ["Bed", "Sink", "Sink"]
    page.get_by_role("button", name="Automatic").click()
    page.wait_for_selector(".box >> nth=2", state="detached")
    assert names(boxes(page)) == ["Bed", "Sink"]
    assert page.get_by_text("Automatic", exact=True).is_hidden()


def test_a_second_box_of_a_class_has_to_be_surer(
    browser: Browser, tmp_path: Path, cache: Path
) -> None:
    write_site(tmp_path / "site", write_bright_model(tmp_path / "beds.onnx", 0.1, True), cache)
    with http_server(tmp_path / "site") as address, visit(browser, address) as page:
        choose(page, {"dim.png": halves(90, 90), "clear.png": halves(110, 110)})
        assert names(boxes(page)) == ["Bed", "Bed", "Bed"]
        page.locator("#score").fill("10")
        page.wait_for_selector(".box >> nth=3")
        page.get_by_role("button", name="Automatic").click()
        page.wait_for_selector(".box >> nth=3", state="detached")
        assert names(boxes(page)) == ["Bed", "Bed", "Bed"]


def test_claims_are_compared(page: Page) -> None:
    choose(page, {"bed.png": BED})
    assert page.locator("#listed .verdict").count() == 0
    page.get_by_text("Compare with what the owner claims").click()
    page.get_by_label("Sink", exact=True).check()
    page.wait_for_selector("#missed li")
    assert page.locator("#missed li").all_text_contents() == ["Sink"]
    assert page.locator("#listed .verdict").all_text_contents() == ["not claimed"]
    page.get_by_label("Bed", exact=True).check()
    page.wait_for_selector(".verdict.confirmed")
    choose(page, {"sink.png": SINK})
    page.wait_for_selector("#missed-part", state="hidden")
    assert page.locator("#listed .verdict").all_text_contents() == ["confirmed", "confirmed"]


def test_downloads_are_what_the_commands_print(page: Page, site: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    files = {
        "a, \"quoted\".png": BOTH,
        "b.png": halves(199, 97, (333, 217)),
        "c.png": BED,
        "d.png": DARK,
        "e.jpg": jpeg(123, 45),
        "f.jpg": b"",
    }  # fmt: skip
    for name, content in files.items():
        (home / name).write_bytes(content)
    (tmp_path / "claims.csv").write_text("amenity\nBed\n")
    choose(page, files)
    page.get_by_text("Compare with what the owner claims").click()
    page.get_by_label("Bed", exact=True).check()
    page.wait_for_selector(".verdict.confirmed")
    model = ["--model", str(network_of(site))]
    predicted = json.loads(dminity(home, "predict", ".", "--json", *model).stdout)
    ours = downloaded_json(page, "All boxes (JSON)")
    assert ours["photos"] == predicted["photos"]
    assert ours["failed"] == predicted["failed"]
    written = dminity(home, "predict", ".", "--csv", *model).stdout
    assert downloaded(page, "All boxes (CSV)") == written
    claims = ["--claims", str(tmp_path / "claims.csv")]
    (of_home,) = json.loads(dminity(home, "listing", ".", "--json", *claims, *model).stdout)[
        "homes"
    ]
    (on_page,) = downloaded_json(page, "This list (JSON)")["homes"]
    assert on_page | {"home": "home"} == of_home


def test_evidence_leads_to_its_photo_which_can_be_removed(page: Page) -> None:
    choose(page, {"bed.png": BED, "beds.png": halves(230, 0)})
    evidence = page.get_by_role("img", name="Bed in beds.png: 1 box")
    # With the margin that `runtime/evidence.py` leaves.
    assert evidence.get_attribute("viewBox") == "0 0 44 64"
    evidence.click()
    assert page.locator(".card:target .name").text_content() == "beds.png"
    page.get_by_role("button", name="Remove beds.png").click()
    page.wait_for_selector("#photo-2", state="detached")
    page.get_by_role("img", name="Bed in bed.png: 1 box").wait_for()
    page.get_by_role("button", name="Remove all").click()
    page.wait_for_selector("#results", state="hidden")
    assert page.text_content("#status") == "Ready."


def test_many_photos_are_looked_at_one_after_the_other(page: Page) -> None:
    choose(page, {f"{number:02}.png": BED if number % 2 else SINK for number in range(40)})
    assert page.text_content("#status") == "40 photos looked at, 2 amenities found."
    assert page.locator(".card[data-state=seen]").count() == 40
    assert page.locator("#bar").is_hidden()
    assert names(boxes(page)) == ["Sink", "Bed"] * 20


def test_a_keyboard_is_enough(page: Page) -> None:
    # Before the key: else the browser may open its own window for files, which nobody sees.
    page.on("filechooser", lambda _: None)
    tabbed_to(page, "#choose")
    with page.expect_file_chooser():
        page.keyboard.press("Enter")
    tabbed_to(page, "#demo")
    page.keyboard.press("Enter")
    wait_until_seen(page)
    assert page.locator(".card[data-state=seen]").count() == 5
    tabbed_to(page, "summary")
    page.keyboard.press("Enter")
    tabbed_to(page, "#claims input")
    page.keyboard.press("Space")
    assert page.get_by_label("Bed", exact=True).is_checked()
    tabbed_to(page, "#score")
    page.keyboard.press("End")
    page.wait_for_selector("#nothing", state="visible")
    tabbed_to(page, "#own")
    page.keyboard.press("Enter")
    assert page.text_content("#score-shown") == "automatic"
    tabbed_to(page, ".remove")
    page.keyboard.press("Enter")
    # The next photo's button has the focus.
    assert page.locator(".remove:focus").count() == 1
    assert page.locator(".card").count() == 4


def test_it_fits_a_phone(browser: Browser, address: str) -> None:
    with visit(browser, address, **PHONE) as page:
        assert page.get_by_text("Take a photo").is_visible()
        assert page.get_attribute("#camera", "capture") == "environment"
        choose(
            page, {"a-very-long-name-without-any-blank-in-it-0123456789.png": BOTH, "b.txt": b"x"}
        )
        page.get_by_text("Compare with what the owner claims").click()
        wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0


def test_a_mouse_is_no_camera(page: Page) -> None:
    assert page.get_by_text("Take a photo").is_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_people_out(browser: Browser, address: str, scheme: Any, axe: str) -> None:
    # The policy of the page forbids scripts that are not its own.
    with visit(browser, address, color_scheme=scheme, bypass_csp=True) as page:
        page.evaluate(axe)
        check = (
            "async () => (await axe.run()).violations.map(({ id, impact }) => `${impact}: ${id}`)"
        )
        assert page.evaluate(check) == []
        choose(page, {"a.png": BOTH, "b.txt": b"no photo", "c.png": SINK})
        page.get_by_text("Compare with what the owner claims").click()
        page.get_by_label("Bed", exact=True).check()
        page.wait_for_selector(".verdict")
        assert page.evaluate(check) == []
        ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        level = int(ground.removeprefix("rgb(").partition(",")[0])
        assert (level < 60) == (scheme == "dark")


def test_it_works_without_a_network_after_the_first_visit(browser: Browser, site: Path) -> None:
    with ExitStack() as stack:
        # A host may have it under any path.
        with http_server(site.parent) as address:
            page = stack.enter_context(visit(browser, f"{address}/{site.name}"))
        page.reload()
        wait_until_ready(page)
        page.get_by_role("button", name="Try demo rooms").click()
        wait_until_seen(page)
        assert page.locator(".card[data-state=seen]").count() == 5
        choose(page, {"bed.png": BED})
        page.wait_for_selector("#status:text-matches('^6 photos')")


def test_the_service_serves_it(browser: Browser, site: Path, tmp_path: Path) -> None:
    # Its headers forbid more than the page itself does.
    with (
        serving(network_of(site), "--site", site, log=tmp_path / "log") as service,
        visit(browser, f"http://127.0.0.1:{service.port}") as page,
    ):
        page.get_by_role("button", name="Try demo rooms").click()
        wait_until_seen(page)
        assert page.locator(".card[data-state=seen]").count() == 5


def test_nothing_is_sent_anywhere(browser: Browser, site: Path) -> None:
    # Every request of its visitor goes by the server, which is a proxy too.
    with recording_server(site) as server:
        proxy = {"server": server.address, "bypass": "<-loopback>"}
        with visit(browser, server.address, proxy=proxy) as page:
            page.get_by_role("button", name="Try demo rooms").click()
            wait_until_seen(page)
            choose(page, {"bed.png": BED, "sink.png": SINK})
            downloaded(page, "All boxes (CSV)")
            page.reload()
            wait_until_ready(page)
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    allowed = {f"{server.address}/{path}" for path in (*files, "")}
    assert {address for _, address in server.asked} <= allowed
    assert {method for method, _ in server.asked} == {"GET"}
    # What is large is fetched once.
    large = [address for _, address in server.asked if address.endswith((".packed", ".onnx"))]
    assert len(large) == 2


def test_the_worker_may_ask_nobody_else(browser: Browser, address: str, tmp_path: Path) -> None:
    with recording_server(tmp_path) as other, visit(browser, address) as page:
        (worker,) = page.workers
        ask = "address => fetch(address, { mode: 'no-cors' }).then(() => 'sent', () => 'refused')"
        assert worker.evaluate(ask, f"{address}/model.json") == "sent"
        assert worker.evaluate(ask, f"{other.address}/model.json") == "refused"
    assert other.asked == []


def test_a_new_version_is_taken_over_and_fetches_what_has_changed(
    browser: Browser, site: Path, tmp_path: Path, cache: Path
) -> None:
    served = tmp_path / "site"
    shutil.copytree(site, served)
    with recording_server(served) as server, visit(browser, server.address) as page:
        choose(page, {"sink.png": SINK})
        assert listed(page) == ["Sink"]
        server.asked.clear()
        # A server whose folder is replaced goes on with the old one: here it is filled anew.
        write_site(tmp_path / "new", write_bright_model(tmp_path / "strict.onnx", 0.7), cache)
        shutil.copytree(tmp_path / "new", served, dirs_exist_ok=True)
        # A browser looks for a new version when the page is opened, and shows it the next time.
        for _ in range(50):
            page.reload()
            wait_until_ready(page)
            choose(page, {"sink.png": SINK})
            if not listed(page):
                break
        assert listed(page) == []
        fetched = {address.rpartition("/")[2] for _, address in server.asked}
        assert network_of(tmp_path / "new").name in fetched
        assert not any(name.endswith(".packed") for name in fetched)


def test_a_detector_that_cannot_be_started_is_one_line(
    browser: Browser, site: Path, tmp_path: Path
) -> None:
    served = tmp_path / "site"
    shutil.copytree(site, served)
    network_of(served).write_bytes(b"no model")
    with http_server(served) as address:
        page = browser.new_page()
        page.goto(f"{address}/")
        page.wait_for_selector("#status:text-matches('could not be started')")
        page.context.close()
