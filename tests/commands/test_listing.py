"""`dminity listing`: what homes have, against what their owners claim."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.helpers.onnx_models import write_bright_model
from tests.helpers.photos import jpeg
from tests.helpers.programs import dminity, errors
from tests.helpers.videos import write_video


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model, and two homes: one with a bed and a sink in two photos, and one with a video."""
    (tmp_path / "models").mkdir()
    write_bright_model(tmp_path / "models/model.onnx")
    for home in ("homes/flat <1>", "homes/flat 2/deep"):
        (tmp_path / home).mkdir(parents=True)
    (tmp_path / "homes/flat <1>/bed é.jpg").write_bytes(jpeg())
    Image.new("RGB", (90, 90), "white").save(tmp_path / "homes/flat <1>/both.png")
    write_video(tmp_path / "homes/flat 2/deep/clip.mp4", frames=9)
    return tmp_path


def listed(folder: Path, *arguments: str) -> Any:
    """What it prints as JSON."""
    done = dminity(folder, "listing", *arguments, "--json")
    assert not errors(done)
    return json.loads(done.stdout)


def test_a_table_of_one_home(folder: Path) -> None:
    done = dminity(folder, "listing", "homes/flat <1>")
    assert done.stdout.splitlines() == [
        "amenity  at least  confidence  best photo",
        "Bed             1        1.00  homes/flat <1>/both.png",
        "Sink            1        1.00  homes/flat <1>/both.png",
    ]
    assert not errors(done)


def test_a_table_of_many_homes_against_claims(folder: Path) -> None:
    claims = "home,amenity\nflat <1>,Bed\nflat 2,Bed\nflat 2,Sink\n"
    (folder / "claims.csv").write_text(claims)
    done = dminity(folder, "listing", "homes", "--claims", "claims.csv")
    # A codec decides on the last digit.
    assert re.sub(r"0\.9\d", "0.9_", done.stdout).splitlines() == [
        "home      amenity  at least  confidence  best photo                       claim",
        "flat 2    Bed             1        0.9_  homes/flat 2/deep/clip.mp4@0.0s  confirmed",
        "flat 2    Sink                                                            not seen",
        "flat <1>  Bed             1        1.00  homes/flat <1>/both.png          confirmed",
        "flat <1>  Sink            1        1.00  homes/flat <1>/both.png          not claimed",
    ]


def test_as_many_are_listed_as_are_sure(folder: Path) -> None:
    write_bright_model(folder / "models/model.onnx", threshold=0.1, beds_only=True)
    for name, gray in (("dim", 90), ("clear", 110)):
        (folder / name).mkdir()
        Image.new("RGB", (64, 64), (gray, gray, gray)).save(folder / name / "both.png")
        (home,) = listed(folder, name)["homes"]
        counts = {item["amenity"]: item["at_least"] for item in home["amenities"]}
        # Both halves have a score of 0.35 or 0.43.
        assert counts == {"Bed": 1 if name == "dim" else 2}


def test_json_for_programs(folder: Path) -> None:
    (folder / "claims.csv").write_text("home,amenity\nflat 2,Sink\n")
    content = listed(folder, "homes", "--claims", "claims.csv")
    assert content["failed"] == []
    assert [(home["home"], home["photos"]) for home in content["homes"]] == [
        ("flat 2", 1),
        ("flat <1>", 2),
    ]
    bed, sink = content["homes"][0]["amenities"]
    assert bed == {
        "amenity": "Bed",
        "at_least": 1,
        "confidence": pytest.approx(0.94, abs=0.02),
        "photo": "homes/flat 2/deep/clip.mp4@0.0s",
        "boxes": [[0.0, 0.0, 32.0, 64.0]],
        "claim": "not claimed",
    }
    assert sink == {
        "amenity": "Sink",
        "at_least": 0,
        "confidence": 0.0,
        "photo": None,
        "boxes": [],
        "claim": "not seen",
    }
    assert listed(folder, "homes")["homes"][0]["amenities"][0]["claim"] is None


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.addresses: list[str | None] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        if tag not in ("meta", "img"):
            self.open.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        assert tag not in ("script", "link", "a", "iframe")
        self.addresses += [value for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_endtag(self, tag: str) -> None:
        """An element ends; they are nested."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text between elements."""
        if data.strip() and self.open[-1] != "style":
            self.said.append(data.strip())


def test_a_page_with_the_evidence_in_it(folder: Path) -> None:
    (folder / "claims.csv").write_text("home,amenity\nflat 2,Sink\nflat <1>,Bed\n")
    done = dminity(folder, "listing", "homes", "--claims", "claims.csv", "--html", "out/page.html")
    assert not errors(done)
    text = (folder / "out/page.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    page = Page(text)
    assert {"Amenities of 2 homes", "flat <1>", "flat 2", "1 photo", "2 photos"} <= set(page.said)
    assert {"confirmed", "not seen", "not claimed"} <= set(page.said)
    assert "at least 1, confidence 100%" in page.said
    assert [image["alt"] for image in page.images] == [
        "Bed, cut out of homes/flat 2/deep/clip.mp4@0.0s",
        "Bed, cut out of homes/flat <1>/both.png",
        "Sink, cut out of homes/flat <1>/both.png",
    ]
    # Nothing is loaded from anywhere.
    assert all(str(address).startswith("data:image/jpeg;base64,") for address in page.addresses)
    assert "http:" not in text
    assert "https:" not in text
    for image in page.images:
        content = base64.b64decode(str(image["src"]).partition(",")[2], validate=True)
        with Image.open(io.BytesIO(content)) as cutout:
            assert cutout.format == "JPEG"
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text


def test_names_cannot_put_anything_into_the_page(folder: Path) -> None:
    home = folder / 'homes/<script>alert("1")&amp;'
    home.mkdir()
    (home / '"><img src=x onerror=alert(1)>\n.jpg').write_bytes(jpeg())
    assert not errors(dminity(folder, "listing", "homes", "--html", "page.html"))
    page = Page((folder / "page.html").read_text(encoding="utf-8"))
    assert '<script>alert("1")&amp;' in page.said
    assert any("onerror=alert(1)>\\n.jpg" in str(image["alt"]) for image in page.images)


def test_a_home_in_which_nothing_is_seen(folder: Path) -> None:
    (folder / "dark").mkdir()
    Image.new("RGB", (9, 9)).save(folder / "dark/a.png")
    done = dminity(folder, "listing", "dark", "--html", "page.html")
    assert not errors(done)
    assert done.stdout.splitlines()[1] == "nothing"
    page = Page((folder / "page.html").read_text(encoding="utf-8"))
    assert page.said[-4:] == ["Amenities of this home", "dark", "1 photo", "No amenity is seen."]


def test_the_rest_of_a_home_is_listed_when_a_photo_cannot_be_read(folder: Path) -> None:
    (folder / "homes/flat <1>/bad.jpg").write_bytes(b"")
    done = dminity(folder, "listing", "homes", "--json", "--html", "page.html")
    assert errors(done) == [
        "homes/flat <1>/bad.jpg: it is empty",
        "1 of 4 photos could not be read; the lines above say why: mend them or leave them out",
    ]
    assert done.returncode == 1
    content = json.loads(done.stdout)
    assert content["failed"] == [{"photo": "homes/flat <1>/bad.jpg", "reason": "it is empty"}]
    assert content["homes"][1]["photos"] == 2
    assert (folder / "page.html").exists()


@pytest.mark.slow
def test_a_real_detector_lists_a_home(
    trained: tuple[Path, Path], exported: Path, tmp_path: Path
) -> None:
    rooms = sorted((trained[0].parent / "voc/JPEGImages").glob("*.jpg"))[:3]
    (tmp_path / "home").mkdir()
    for room in rooms:
        (tmp_path / "home" / room.name).write_bytes(room.read_bytes())
    content = listed(tmp_path, "home", "--model", str(exported), "--html", "page.html")
    amenities = content["homes"][0]["amenities"]
    annotations = "".join(
        (room.parents[1] / "Annotations" / f"{room.stem}.xml").read_text() for room in rooms
    )
    there = {name.replace("&amp;", "&") for name in re.findall("<name>(.*?)</name>", annotations)}
    seen = {item["amenity"] for item in amenities}
    assert len(seen) >= 5
    assert len(seen - there) <= 1
    assert len(Page((tmp_path / "page.html").read_text()).images) == len(seen)
