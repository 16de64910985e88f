"""Nothing waits in silence: what is waited for is said, and how to end it."""

import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dminity.core import progress
from dminity.core.progress import Progress, waiting_for
from dminity.data.fetching import download
from dminity.data.fetching.download import PhotosMissing, fetch_photos
from dminity.data.fetching.settings import FetchSettings
from dminity.remote import reading, retrying
from dminity.remote.faults import Unavailable
from dminity.remote.reading import open_folder
from dminity.remote.retrying import Blocks
from dminity.sources.openimages import CLASSES_CSV, BadAnnotations, OpenImages
from dminity.sources.settings import OpenImagesSettings
from dminity.sources.sieve import sift
from tests.core.test_progress import Terminal
from tests.helpers.faulty_server import FaultyServer, Handler, answer, faulty_server

Log = pytest.CaptureFixture[str]
SAID = r"note: waiting for .* since \d+ s; Ctrl-C ends it, what is finished is kept"


@pytest.fixture(autouse=True)
def quick_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A twentieth of a second is as long as ten."""
    monkeypatch.setattr(progress, "FIRST_NOTE_S", 0.05)
    monkeypatch.setattr(progress, "NEXT_NOTE_S", 0.05)
    monkeypatch.setattr(retrying, "FIRST_PAUSE_S", 0.01)


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The notes said so far."""
    said: list[str] = []
    monkeypatch.setattr(progress, "note", said.append)
    return said


def until(happened: Callable[[], object]) -> None:
    """Wait for something that has to happen."""
    while not happened():
        time.sleep(0.005)


def test_what_does_not_come_is_said_again_and_again(capsys: Log) -> None:
    said = ""
    with waiting_for("the photos of 01-10"):
        while said.count("\n") < 3:
            said += capsys.readouterr().err
    assert "waiting for the photos of 01-10 since 0 s;" in said
    assert all(re.fullmatch(SAID, line) for line in said.splitlines())


class Clock:
    """A clock that a test turns; waiting turns it too."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        """The time."""
        return self.now_s


class Pauses:
    """In place of the event that ends a wait: each pause passes at once, and something happens."""

    def __init__(self, clock: Clock, happens: Iterator[Callable[[], None]]) -> None:
        self.clock = clock
        self.happens = happens

    def wait(self, pause_s: float) -> bool:
        """Whether waiting ends."""
        self.clock.now_s += pause_s
        happens = next(self.happens, None)
        if happens:
            happens()
        return happens is None


def test_the_first_note_is_after_ten_seconds_and_the_next_after_sixty(
    monkeypatch: pytest.MonkeyPatch, notes: list[str]
) -> None:
    monkeypatch.setattr(progress, "FIRST_NOTE_S", 10.0)
    monkeypatch.setattr(progress, "NEXT_NOTE_S", 60.0)
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    waiting = progress.Waiting("it")
    times: list[float] = []

    def nothing() -> None:
        """Only the time passes."""

    def come() -> None:
        """Something came three seconds ago."""
        clock.now_s -= 3
        waiting.beat()
        clock.now_s += 3

    happens = iter([nothing, nothing, come, nothing, nothing, waiting.rest, nothing])
    monkeypatch.setattr(waiting, "ended", Pauses(clock, happens))
    monkeypatch.setattr(progress, "note", lambda _: times.append(clock.now_s))
    waiting.watch()
    # Said at 10, and at 70. Something came at 127: said at 137, and at 197. Then there is a rest.
    assert times == [10, 70, 137, 197]


def test_a_note_leaves_the_bar_on_a_terminal_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress[None]("index", total=3) as work:
        work.update(1)
        progress.note("something")
        work.update(2)
    lines = [line.rpartition("\r")[2] for line in terminal.getvalue().split("\n")]
    assert "note: something" in lines
    assert lines[-2].startswith("index: 100%|")


def test_other_processes_of_a_training_say_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: Log
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    progress.note("something")
    assert capsys.readouterr().err == ""


# Every kind of silence, from the look-up of a name to the middle of a file.


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FaultyServer]:
    """A server of a file."""
    folder = tmp_path / "published"
    (folder / "v5").mkdir(parents=True)
    (folder / CLASSES_CSV).write_text("/m/03ssj5,Bed\n")
    (folder / "boxes.csv").write_text("ImageID,LabelName\n" * 1000)
    with faulty_server(folder) as running:
        yield running


class Silence:
    """Goes on until it has been said that it is waited for; then the server or network is back."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes

    def last(self) -> None:
        """Wait for a note."""
        before = len(self.notes)
        until(lambda: len(self.notes) > before)

    def before(self, handler: Handler, content: bytes) -> None:
        """Of a server: before a file."""
        self.last()
        handler.send_file(content)

    def within(self, handler: Handler, content: bytes) -> None:
        """Of a server: in the middle of a file."""
        handler.promise(content)
        handler.wfile.write(content[:100])
        handler.wfile.flush()
        self.last()
        handler.wfile.write(content[100:])


@pytest.mark.parametrize("where", ["before", "within"])
def test_a_silent_server_is_said(
    server: FaultyServer, tmp_path: Path, notes: list[str], where: str
) -> None:
    server.faults["boxes.csv"] = [getattr(Silence(notes), where)]
    list(Blocks(open_folder(server.address), "boxes.csv"))
    assert f"waiting for {server.address}/boxes.csv since " in notes[0]


@pytest.mark.parametrize("step", ["getaddrinfo", "create_connection"])
def test_a_name_or_a_connection_that_is_waited_for_is_said(
    server: FaultyServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    notes: list[str],
    step: str,
) -> None:
    """A resolver, or a host, that does not answer."""
    owner: object = socket
    if step == "create_connection":
        from urllib3.util import connection as owner
    right = getattr(owner, step)

    def slow(*arguments: object, **options: object) -> object:
        Silence(notes).last()
        return right(*arguments, **options)

    monkeypatch.setattr(owner, step, slow)
    list(Blocks(open_folder(server.address), "boxes.csv"))
    assert f"waiting for {server.address}/boxes.csv since " in notes[0]


def test_who_reads_slowly_is_not_waited_for(server: FaultyServer, notes: list[str]) -> None:
    for _ in Blocks(open_folder(server.address), "boxes.csv"):
        # One that was on its way when the block came.
        time.sleep(0.2)
        before = len(notes)
        time.sleep(0.3)
        assert len(notes) == before


def open_images(server: FaultyServer) -> OpenImages:
    """Open Images at the server."""
    return OpenImages(
        OpenImagesSettings(
            annotations=server.address,
            images=server.address,
            s3_endpoint="https://s3.test",
            partial=True,
        )
    )


def test_the_list_of_classes_is_waited_for_aloud(server: FaultyServer, notes: list[str]) -> None:
    server.faults[CLASSES_CSV] = [Silence(notes).before]
    assert open_images(server).published_names == {"/m/03ssj5": "Bed"}
    assert f"waiting for {server.address}/{CLASSES_CSV} since " in notes[0]


def test_a_csv_that_was_read_before_is_waited_for_aloud(
    server: FaultyServer, tmp_path: Path, notes: list[str]
) -> None:
    sift(open_folder(server.address), "boxes.csv", ["none"], tmp_path / "kept.csv")
    server.faults["boxes.csv"] = [Silence(notes).before]
    sift(open_folder(server.address), "boxes.csv", ["none"], tmp_path / "kept.csv")
    assert f"waiting for {server.address}/boxes.csv since " in notes[0]


def test_photos_are_waited_for_aloud(tmp_path: Path, notes: list[str], made_mirror: Path) -> None:
    photo = next(made_mirror.glob("*/train/*.jpg"))
    (tmp_path / "01-10/train").mkdir(parents=True)

    def read(split: str, image_id: str) -> bytes:
        Silence(notes).last()
        return photo.read_bytes()

    settings = FetchSettings(connections=1, attempts=1, min_side=1, max_missing=0.0)
    assert fetch_photos([("train", photo.stem)], read, tmp_path / "01-10", settings) == []
    assert "waiting for the photos of 01-10 since " in notes[0]


def test_photos_on_their_way_are_waited_for_aloud_when_an_error_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notes: list[str]
) -> None:
    ended, silent = threading.Event(), threading.Event()
    said: list[str] = []

    class Pool(ThreadPoolExecutor):
        """Says when an error ends it."""

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            ended.set()
            super().shutdown(wait, cancel_futures=cancel_futures)

    def read(split: str, image_id: str) -> bytes:
        if image_id == "gone":
            silent.wait()
            raise Unavailable("not found", "it is not there")
        silent.set()
        ended.wait()
        before = len(notes)
        for _ in range(200):
            time.sleep(0.01)
            if len(notes) > before:
                said.append(notes[-1])
                break
        raise Unavailable("stalled", "20 s")

    monkeypatch.setattr(download, "ThreadPoolExecutor", Pool)
    (tmp_path / "01-10/train").mkdir(parents=True)
    settings = FetchSettings(connections=2, attempts=1, min_side=1, max_missing=0.0)
    photos = [("train", "gone"), ("train", "slow")]
    with pytest.raises(PhotosMissing, match="train/gone"):
        fetch_photos(photos, read, tmp_path / "01-10", settings)
    assert "waiting for the photos of 01-10 since " in said[0]


# Failures that are passing, of what is read once.


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The notes of failures so far."""
    said: list[str] = []
    monkeypatch.setattr(retrying, "note", said.append)
    return said


@pytest.mark.parametrize("name", ["boxes.csv", CLASSES_CSV])
def test_a_passing_failure_is_said_with_its_reason_and_when_it_is_asked_again(
    server: FaultyServer, tmp_path: Path, failures: list[str], name: str
) -> None:
    server.faults[name] = [answer(503), answer(503)]
    if name == CLASSES_CSV:
        assert open_images(server).published_names
    else:
        sift(open_folder(server.address), name, ["none"], tmp_path / "kept.csv")
    # The second is within ten seconds of the first.
    (said,) = failures
    address = re.escape(f"{server.address}/{name}")
    assert re.fullmatch(rf"server error: {address}: status 503; asked for again in 0.\d s", said)


def test_failures_in_a_row_are_said_every_ten_seconds(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch, failures: list[str]
) -> None:
    monkeypatch.setattr(retrying, "NOTE_PAUSE_S", 0.0)
    server.lasting["boxes.csv"] = answer(500)
    with pytest.raises(Unavailable):
        list(Blocks(open_folder(server.address), "boxes.csv"))
    assert len(failures) == retrying.ATTEMPTS - 1


def test_a_failure_that_lasts_is_the_error_and_no_note(
    server: FaultyServer, failures: list[str]
) -> None:
    server.lasting[CLASSES_CSV] = answer(404)
    with pytest.raises(BadAnnotations, match="not found"):
        _ = open_images(server).published_names
    assert failures == []


def test_a_server_that_is_silent_for_good_ends_as_an_error(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch, notes: list[str], failures: list[str]
) -> None:
    monkeypatch.setattr(reading, "SILENCE_S", 0.2)
    ended = threading.Event()

    def silent(*_: object) -> None:
        ended.wait()

    server.lasting[CLASSES_CSV] = silent
    try:
        with pytest.raises(BadAnnotations, match=f"^stalled: .*{CLASSES_CSV}: .*timed out"):
            _ = open_images(server).published_names
    finally:
        ended.set()
    assert notes
    assert failures
