"""Every fault of a network, a server or a disk that fetching and indexing have to survive."""

import io
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from dminity.data.fetching.download import PhotosMissing, Rejected, fetch_photos
from dminity.data.fetching.settings import FetchSettings
from dminity.remote import reading as addresses
from dminity.remote import retrying
from dminity.remote.reading import open_folder
from dminity.sources import sieve
from dminity.sources.sieve import Damaged, sift
from tests.helpers import processes
from tests.helpers.faulty_server import (
    Fault,
    FaultyServer,
    answer,
    cut_short,
    drip,
    faulty_server,
    reset,
    stall,
)
from tests.helpers.faulty_server import truncated as cut_file
from tests.helpers.project import ROOT, environment

pytestmark = pytest.mark.slow

SETTINGS = FetchSettings(connections=4, attempts=3, min_side=16, max_missing=1.0)
# On a machine so busy that good photos are too slow at times, too.
PATIENT = SETTINGS.model_copy(update={"attempts": 8})
IDS = [f"{number:016x}" for number in range(6)]
BAD = f"train/{IDS[2]}.jpg"


def picture(side: int, kind: str = "JPEG", **options: object) -> bytes:
    """A photo with something to see in it."""
    pixels = np.random.default_rng(side).integers(0, 255, (side, side, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def bomb(width: int = 20_000, height: int = 10_000) -> bytes:
    """A PNG of a kilobyte that says it has so many pixels."""
    content = bytearray(picture(16, "PNG"))
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FaultyServer]:
    """A server with six photos."""
    folder = tmp_path / "published" / "train"
    folder.mkdir(parents=True)
    for number, image_id in enumerate(IDS):
        (folder / f"{image_id}.jpg").write_bytes(picture(64 + number))
    with faulty_server(folder.parent) as running:
        yield running


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again at once."""
    monkeypatch.setattr(retrying, "FIRST_PAUSE_S", 0.01)


def lose_patience(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """Give up a server that is silent or slow for a second; others may be on a busy machine."""
    if fault is stall:
        monkeypatch.setattr(addresses, "SILENCE_S", 1.0)
    if fault is drip:
        monkeypatch.setattr(addresses, "WHOLE_FILE_S", 1.0)


def fetch(server: FaultyServer, folder: Path, settings: FetchSettings = SETTINGS) -> list[Rejected]:
    """Fetch all photos of the server into a folder."""
    source = open_folder(server.address)
    (folder / "train").mkdir(parents=True, exist_ok=True)
    photos = [("train", image_id) for image_id in IDS]
    return fetch_photos(
        photos, lambda split, image_id: source.read(f"{split}/{image_id}.jpg"), folder, settings
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


PASSING = {
    "500": answer(500),
    "503": answer(503, Retry_After="1"),
    "429": answer(429),
    "reset in mid-body": reset,
    "body shorter than its length": cut_short,
    "stalled body": stall,
    "a byte at a time": drip,
    "HTML with 200": answer(200, b"<html>Please log in</html>"),
    "half a photo with 200": cut_file,
    "nothing with 200": answer(200),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_passing_fault_changes_nothing(
    server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    lose_patience(monkeypatch, fault)
    server.faults[BAD] = [fault, fault]
    assert fetch(server, tmp_path / "fetched", PATIENT) == []
    assert contents(tmp_path / "fetched") == contents(server.folder)
    if fault not in (stall, drip):
        assert len(server.asked) == len(IDS) + 2


LASTING = {
    "404": (answer(404), "not found", 1),
    "403": (answer(403), "forbidden", 1),
    "400": (answer(400), "refused", 1),
    "500": (answer(500), "server error", 3),
    "503": (answer(503, Retry_After="0"), "server error", 3),
    "429": (answer(429), "too many requests", 3),
    "reset in mid-body": (reset, "connection lost", 3),
    "body shorter than its length": (cut_short, "connection lost", 3),
    "stalled body": (stall, "stalled", 3),
    "a byte at a time": (drip, "too slow", 3),
    "HTML with 200": (answer(200, b"<html>Please log in</html>"), "not an image", 3),
    "half a photo with 200": (cut_file, "truncated", 3),
    "1 x 1 pixel": (answer(200, picture(1)), "too small", 1),
    "200 megapixels": (answer(200, bomb()), "too many pixels", 1),
    # Pillow itself would only warn of it.
    "80 megapixels": (answer(200, bomb(10_000, 8_000)), "too many pixels", 1),
}


@pytest.mark.parametrize(("fault", "reason", "attempts"), LASTING.values(), ids=LASTING)
def test_a_lasting_fault_costs_one_photo_and_is_named(
    server: FaultyServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    reason: str,
    attempts: int,
) -> None:
    lose_patience(monkeypatch, fault)
    server.lasting[BAD] = fault
    assert fetch(server, tmp_path / "fetched") == [Rejected("train", IDS[2], reason, attempts)]
    expected = contents(server.folder)
    del expected[BAD]
    assert contents(tmp_path / "fetched") == expected


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_hostile_exif_is_no_fault(server: FaultyServer, tmp_path: Path) -> None:
    # A directory that says it has 65,535 entries and continues in itself.
    exif = b"Exif\0\0" + b"MM\0*" + b"\0\0\0\x08" + b"\xff\xff" + b"\xff" * 500
    server.lasting[BAD] = answer(200, picture(64, exif=exif))
    assert fetch(server, tmp_path / "fetched") == []
    assert contents(tmp_path / "fetched")[BAD] == picture(64, exif=exif)


HEADERS = [
    {"x-goog-hash": "crc32c=abc"},
    {"x-goog-hash": "crc32c"},
    {"ETag": "\xff"},
]


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_a_header_that_is_none_says_nothing(
    server: FaultyServer, tmp_path: Path, headers: dict[str, str]
) -> None:
    server.headers |= headers
    assert fetch(server, tmp_path / "fetched") == []
    assert contents(tmp_path / "fetched") == contents(server.folder)


@pytest.mark.parametrize(
    "value", ["Wed, 21 Oct 99999 07:28:00 GMT", "nan", "-1", "1, 2", "\xff", "9" * 5000], ids=ascii
)
def test_a_pause_that_is_none_is_ours(server: FaultyServer, tmp_path: Path, value: str) -> None:
    server.faults[BAD] = [answer(503, Retry_After=value)]
    assert fetch(server, tmp_path / "fetched") == []


def test_a_server_that_asks_to_be_left_alone_is(server: FaultyServer, tmp_path: Path) -> None:
    server.faults[BAD] = [answer(503, Retry_After="1")]
    start = time.monotonic()
    assert fetch(server, tmp_path / "fetched") == []
    assert time.monotonic() - start > 1


def test_a_fifth_of_all_requests_failing_is_survived(server: FaultyServer, tmp_path: Path) -> None:
    server.every_fifth = answer(503)
    assert fetch(server, tmp_path / "fetched", PATIENT) == []
    assert contents(tmp_path / "fetched") == contents(server.folder)


def test_too_many_missing_fail_at_once_and_the_others_are_kept(
    server: FaultyServer, tmp_path: Path
) -> None:
    fetch(server, tmp_path / "fetched")
    for image_id in IDS[:2]:
        server.lasting[f"train/{image_id}.jpg"] = answer(404)
        (tmp_path / "fetched" / "train" / f"{image_id}.jpg").unlink()
    message = r"2 of 6 photos are missing so far \(not found: 2\), as train/0000.*raise fetch.max_m"
    with pytest.raises(PhotosMissing, match=message):
        fetch(server, tmp_path / "fetched", SETTINGS.model_copy(update={"max_missing": 0.2}))
    assert len(contents(tmp_path / "fetched")) == 4


def test_who_gives_up_does_not_wait_for_the_others(
    server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE_S", 3600)
    monkeypatch.setattr(retrying, "LONGEST_PAUSE_S", 3600)
    for image_id in IDS[:3]:
        server.lasting[f"train/{image_id}.jpg"] = answer(500)
    server.lasting[f"train/{IDS[4]}.jpg"] = answer(404)
    # Else it would be waited for beyond all limits of a test.
    monkeypatch.setattr(random, "uniform", lambda _, longest: longest)
    with pytest.raises(PhotosMissing):
        fetch(server, tmp_path / "fetched", SETTINGS.model_copy(update={"max_missing": 0}))


# The stages, as processes of their own.


def stage(name: str, *arguments: str, prelude: str = "pass") -> list[str]:
    """The command that runs a stage after a line of Python."""
    code = (
        f"import sys; sys.argv[1:] = {list(arguments)!r}\n{prelude}\n"
        f"from dminity.core.stage import run\nfrom dminity.stages import {name}\nrun({name}.main)"
    )
    return [sys.executable, "-c", code]


def start(folder: Path, command: list[str]) -> "subprocess.Popen[str]":
    """Start a stage in a folder."""
    return processes.start(command, folder, environment() | {"PYTHONPATH": str(ROOT / "src")})


def kill(process: "subprocess.Popen[str]") -> None:
    """Kill a stage, which it cannot notice."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def finish(folder: Path, command: list[str], code: int = 0) -> str:
    """Run a stage to its end; its output."""
    process = start(folder, command)
    output, _ = process.communicate(timeout=processes.LIMIT_S)
    assert process.returncode == code, output
    return output


@pytest.fixture
def open_images(made_mirror: Path) -> Iterator[FaultyServer]:
    """A server of a mirror of Open Images."""
    with faulty_server(made_mirror) as running:
        yield running


def configure(folder: Path, address: str) -> Path:
    """A folder with parameters for the server."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["source"] = "openimages"
    params["openimages"] |= {
        "annotations": f"{address}/openimages",
        "images": f"{address}/open-images-dataset",
        "partial": True,
    }
    params["fetch"] |= {"connections": 2}
    folder.mkdir()
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return folder


BUCKET = "01-10"


def test_fetch_is_killed_again_and_again(open_images: FaultyServer, tmp_path: Path) -> None:
    whole = configure(tmp_path / "whole", open_images.address)
    for name in ("index", "pick"):
        finish(whole, stage(name))
    killed = shutil.copytree(whole, tmp_path / "killed")
    finish(whole, stage("fetch", BUCKET))
    photos = killed / "data/raw" / BUCKET
    chance = random.Random(1)
    open_images.drip_bytes = 4000
    kills = 0
    for _ in range(5):
        there = {path.stem for path in photos.glob("*/[!.]*.jpg")}
        open_images.asked.clear()
        process = start(killed, stage("fetch", BUCKET))
        while not open_images.asked and process.poll() is None:
            time.sleep(0.01)
        time.sleep(chance.uniform(0.1, 1.0))
        kills += process.poll() is None
        kill(process)
        asked = {Path(name).stem for name, _ in open_images.asked}
        assert not there & asked, "a finished photo is not fetched again"
    assert kills >= 3
    open_images.drip_bytes = 0
    finish(killed, stage("fetch", BUCKET))
    assert contents(photos) == contents(whole / "data/raw" / BUCKET)


def noted(folder: Path) -> dict[str, str]:
    """How far index has come, by file."""
    notes = (folder / "data/index").glob(".published.unfinished/*.note")
    return {path.name: path.read_text() for path in notes}


def test_index_is_killed_and_goes_on_by_range(open_images: FaultyServer, tmp_path: Path) -> None:
    whole = configure(tmp_path / "whole", open_images.address)
    finish(whole, stage("index"))
    killed = configure(tmp_path / "killed", open_images.address)
    open_images.drip_bytes = 100
    prelude = "from dminity.remote import retrying; from dminity.sources import sieve; "
    prelude += "retrying.BLOCK_BYTES = 100; sieve.NOTE_BYTES = 300"
    for _ in range(4):
        open_images.asked.clear()
        before = noted(killed)
        process = start(killed, stage("index", prelude=prelude))
        while noted(killed) == before:
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.01)
        kill(process)
    ranges = [part for name, part in open_images.asked if name.endswith("bbox.csv")]
    assert re.fullmatch(r"bytes=[1-9]\d+-", ranges[0]), "it goes on in the middle of the file"
    open_images.drip_bytes = 0
    finish(killed, stage("index"))
    assert contents(killed / "data/index") == contents(whole / "data/index")


def test_a_second_process_is_told_that_there_is_a_first(
    open_images: FaultyServer, tmp_path: Path
) -> None:
    folder = configure(tmp_path / "folder", open_images.address)
    for name in ("index", "pick"):
        finish(folder, stage(name))
    open_images.drip_bytes = 4000
    open_images.asked.clear()
    first = start(folder, stage("fetch", BUCKET))
    while not open_images.asked:
        assert first.poll() is None, first.communicate()[0]
        time.sleep(0.01)
    output = finish(folder, stage("fetch", BUCKET), code=1)
    expected = r"\nerror: another process is at work on data/raw/01-10; wait for it to end"
    assert re.search(expected, output)
    open_images.drip_bytes = 0
    first.communicate()
    assert first.returncode == 0
    finish(folder, stage("fetch", BUCKET))


def test_a_full_disk_ends_the_stage_in_one_line(open_images: FaultyServer, tmp_path: Path) -> None:
    """The kernel refuses to write, by a limit on the size of files: a full disk takes a mount."""
    folder = configure(tmp_path / "folder", open_images.address)
    for name in ("index", "pick"):
        finish(folder, stage(name))
    sizes = sorted(path.stat().st_size for path in open_images.folder.glob("*/*/*.jpg"))
    limit = sizes[len(sizes) // 2]
    prelude = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    prelude += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    output = finish(folder, stage("fetch", BUCKET, prelude=prelude), code=1)
    assert re.search(r"\nerror: .*File too large", output)
    assert "Traceback" not in output
    there = contents(folder / "data/raw" / BUCKET)
    assert not [name for name in there if name.endswith(".unfinished")]
    published = {path.name: path.read_bytes() for path in open_images.folder.glob("*/*/*.jpg")}
    kept = {Path(name).name: content for name, content in there.items() if ".jpg" in name}
    assert kept.items() <= published.items()
    finish(folder, stage("fetch", BUCKET))


# A huge CSV on a bad line.

CODES = ["/m/03ssj5", "/m/09g1w"]


def rows(count: int, seed: int = 1) -> bytes:
    """A CSV in which every tenth line is of interest."""
    chance = random.Random(seed)
    codes = [CODES[0], CODES[1], *(f"/m/0zz{number}" for number in range(18))]
    lines = [f"{number:016x},xclick,{chance.choice(codes)},1" for number in range(count)]
    return ("ImageID,Source,LabelName,Confidence\n" + "\n".join(lines) + "\n").encode()


def of_interest(content: bytes) -> bytes:
    """What the sieve ought to let through."""
    header, *lines = content.splitlines(keepends=True)
    return header + b"".join(line for line in lines if any(code.encode() in line for code in CODES))


@pytest.fixture
def csv_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    """A server of a CSV that is read in many blocks."""
    monkeypatch.setattr(retrying, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(sieve, "NOTE_BYTES", 3000)
    folder = tmp_path / "csv"
    folder.mkdir()
    (folder / "boxes.csv").write_bytes(rows(2000))
    with faulty_server(folder) as running:
        yield running


@pytest.mark.parametrize(
    "fault", [answer(500), answer(503, Retry_After="0"), reset, cut_short, stall]
)
@pytest.mark.parametrize("ranges", [True, False])
def test_a_csv_comes_whole_over_a_bad_line(
    csv_server: FaultyServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    ranges: bool,
) -> None:
    lose_patience(monkeypatch, fault)
    csv_server.ranges = ranges
    csv_server.faults["boxes.csv"] = [fault, fault]
    done = sift(open_folder(csv_server.address), "boxes.csv", CODES, tmp_path / "kept.csv")
    content = (csv_server.folder / "boxes.csv").read_bytes()
    assert (tmp_path / "kept.csv").read_bytes() == of_interest(content)
    assert (done.read_bytes, done.rows) == (len(content), 2000)


@pytest.mark.parametrize("count", [1500, 30])
def test_a_csv_that_changes_half_way_is_read_anew(
    csv_server: FaultyServer, tmp_path: Path, count: int
) -> None:
    # Of 30 rows, there is nothing where the first part of the old file ended.
    other = rows(count, seed=2)

    def change(handler: object, content: bytes) -> None:
        cut_short(handler, content)  # type: ignore[arg-type]
        (csv_server.folder / "boxes.csv").write_bytes(other)

    csv_server.faults["boxes.csv"] = [change]
    done = sift(open_folder(csv_server.address), "boxes.csv", CODES, tmp_path / "kept.csv")
    assert (tmp_path / "kept.csv").read_bytes() == of_interest(other)
    assert done.rows == count


def test_what_was_read_is_not_read_again_unless_it_changed(
    csv_server: FaultyServer, tmp_path: Path
) -> None:
    folder = open_folder(csv_server.address)
    first = sift(folder, "boxes.csv", CODES, tmp_path / "kept.csv")
    csv_server.faults["boxes.csv"] = [answer(503)]
    assert sift(folder, "boxes.csv", CODES, tmp_path / "kept.csv") == first
    (csv_server.folder / "boxes.csv").write_bytes(rows(700))
    assert sift(folder, "boxes.csv", CODES, tmp_path / "kept.csv").rows == 700


def test_the_servers_checksum_is_checked(csv_server: FaultyServer, tmp_path: Path) -> None:
    # RFC 3720, B.4: CRC-32C of 32 bytes of zeros is aa 36 91 8a.
    csv_server.headers["x-goog-hash"] = "crc32c=ijaRqg==,md5=none"
    with pytest.raises(Damaged, match=r"its CRC-32C is [0-9a-f]{8}; the server says 8a3691aa"):
        sift(open_folder(csv_server.address), "boxes.csv", CODES, tmp_path / "kept.csv")


@pytest.mark.parametrize("seed", range(20))
def test_the_sieve_finds_what_a_loop_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(retrying, "BLOCK_BYTES", chance.randint(50, 3000))
    content = rows(chance.randint(1, 300), seed)
    (tmp_path / "boxes.csv").write_bytes(content)
    done = sift(open_folder(str(tmp_path)), "boxes.csv", CODES, tmp_path / "kept.csv")
    assert (tmp_path / "kept.csv").read_bytes() == of_interest(content)
    assert done.kept == of_interest(content).count(b"\n") - 1
