"""A service at work: who may ask, a new model, a full queue, its end, what it writes."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers import processes
from tests.helpers.onnx_models import write_bright_model
from tests.helpers.photos import jpeg
from tests.helpers.programs import dminity, errors
from tests.helpers.service import Answer, Service, form, head, photos, serving, wait_for

# Photos are read only when a file is gone: a request is at work for as long as a test wants.
GATED = """
import time
from pathlib import Path
from dminity.service import detecting
really_read = detecting.read_photo
def read_photo(*arguments):
    Path("begun").touch()
    while Path("gate").exists():
        time.sleep(0.01)
    return really_read(*arguments)
detecting.read_photo = read_photo
"""
# What opens a file to write to it is said.
WATCHED = """
import os, sys
def hear(event, arguments):
    if event == "open" and arguments[2] and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        os.write(2, f'{{"event": "opened", "path": "{arguments[0]}"}}\\n'.encode())
sys.addaudithook(hear)
"""


@contextmanager
def at_work(
    model: Path, folder: Path, *options: str
) -> Iterator[tuple[Service, "Future[Answer]", ThreadPoolExecutor]]:
    """A service that looks at a photo until the file `gate` is gone from the folder."""
    (folder / "gate").touch()
    with (
        serving(model, *options, log=folder / "log", prelude=GATED) as service,
        ThreadPoolExecutor(8) as pool,
    ):
        try:
            first = pool.submit(service.detect, jpeg())
            wait_for((folder / "begun").exists, "nobody looks")
            yield service, first, pool
        finally:
            (folder / "gate").unlink(missing_ok=True)


def test_a_full_queue_says_when_to_come_again(bright: Path, tmp_path: Path) -> None:
    with at_work(bright, tmp_path, "--queue", "2", "--workers", "1") as (service, first, pool):
        second = pool.submit(service.detect, jpeg())
        wait_for(lambda: service.metric("dminity_queue") == 2, "it does not wait")
        third = service.detect(jpeg())
        assert third.status == 503
        assert third.headers["retry-after"] == "1"
        assert "try again" in third.json["error"]
        assert service.ask("/readyz").status == 503
        assert service.ask("/healthz").status == 200
        (tmp_path / "gate").unlink()
        assert first.result().status == second.result().status == 200
        assert service.ask("/readyz").status == 200
        assert service.metric('dminity_rejected_total{reason="queue"}') == 1


def test_a_request_that_takes_too_long_is_ended(bright: Path, tmp_path: Path) -> None:
    with at_work(bright, tmp_path, "--limit-seconds", "3") as (service, first, _):
        answer = first.result()
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
        assert "not done in 3 s" in answer.json["error"]
        assert service.metric("dminity_queue") == 0
        (tmp_path / "gate").unlink()
        wait_for(lambda: service.detect(jpeg()).status == 200, "its thread is free again")


def test_sigterm_finishes_what_has_begun(bright: Path, tmp_path: Path) -> None:
    kind, body = form(photos(jpeg()))
    with at_work(bright, tmp_path) as (service, first, _), service.connect() as uploading:
        idle = service.connect()
        uploading.sendall(head("/v1/detect", len(body), kind, "Expect: 100-continue"))
        assert b"100" in uploading.recv(100)
        service.process.send_signal(signal.SIGTERM)
        # No others are let in; who has not asked for anything is sent away.
        assert idle.recv(10) == b""
        idle.close()
        wait_for(lambda: refused(service.port), "it still listens")
        (tmp_path / "gate").unlink()
        uploading.sendall(body)
        assert uploading.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert first.result().status == 200
        assert service.process.wait(processes.LIMIT_S) == 0
        assert service.lines()[-1]["event"] == "ended"


def refused(port: int) -> bool:
    """Whether nobody listens at a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except OSError:
        return True
    return False


def test_ctrl_c_ends_it_as_any_command(bright: Path, tmp_path: Path) -> None:
    with serving(bright, log=tmp_path / "log") as service:
        assert service.detect(jpeg()).status == 200
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(processes.LIMIT_S) == 130
        assert service.log.read_text().rstrip().endswith("error: ended by Ctrl-C; what is finished is kept: run it again to go on")  # fmt: skip  # noqa: E501


def test_a_new_model_is_taken_over_without_a_dropped_request(bright: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(bright.read_bytes())
    other = write_bright_model(tmp_path / "other.onnx", threshold=0.99)
    answers: list[Answer] = []
    ended = threading.Event()
    with serving(model, log=tmp_path / "log") as service, ThreadPoolExecutor(4) as pool:
        first = service.ask("/v1/model").json["sha256"]

        def keep_asking() -> None:
            while not ended.is_set():
                answers.append(service.detect(jpeg()))

        clients = [pool.submit(keep_asking) for _ in range(4)]
        # One is taken over, one is refused, one is there no more.
        for content, event in ((other.read_bytes(), "model taken over"), (b"x", "model refused")):
            replace(model, content)
            service.process.send_signal(signal.SIGHUP)
            wait_for(lambda event=event: service.lines(event), event)
        model.unlink()
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(service.lines("model refused")) == 2, "it is gone")
        ended.set()
        for client in clients:
            client.result()
        told = service.ask("/v1/model").json
        assert told["sha256"] != first
        assert told["thresholds"] == {"Bed": 0.99, "Sink": 0.99}
        assert service.detect(jpeg()).json["photos"][0]["detections"] == []
    assert {answer.status for answer in answers} == {200}
    counts = [len(answer.json["photos"][0]["detections"]) for answer in answers]
    assert (counts[0], counts[-1]) == (1, 0)


def replace(path: Path, content: bytes) -> None:
    """Put another file into a place, as exports do."""
    new = path.with_name("new")
    new.write_bytes(content)
    new.replace(path)


def test_a_new_model_is_noticed(bright: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(bright.read_bytes())
    other = write_bright_model(tmp_path / "other.onnx", threshold=0.99)
    with serving(model, "--watch", log=tmp_path / "log") as service:
        # A file that is half there is no model; the whole one comes later.
        model.write_bytes(other.read_bytes()[:100])
        wait_for(lambda: service.lines("model refused"), "it does not look")
        assert service.ask("/v1/model").json["thresholds"] == {"Bed": 0.5, "Sink": 0.5}
        replace(model, other.read_bytes())
        wait_for(lambda: service.lines("model taken over"), "it does not look again")
        assert service.ask("/v1/model").json["thresholds"] == {"Bed": 0.99, "Sink": 0.99}
        assert service.metric('dminity_model_loads_total{result="refused"}') == 1


def test_a_token_is_asked_for(bright: Path, tmp_path: Path) -> None:
    secret = {"DMINITY_TOKEN": "correct-horse"}
    with serving(bright, log=tmp_path / "log", environment=secret) as service:
        right = {"Authorization": "Bearer correct-horse"}
        for headers in (
            {}, {"Authorization": "Bearer wrong"}, {"Authorization": "correct-horse"},
            {"Authorization": "Basic correct-horse"}, {"Authorization": "Bearer correct-hors\xe9"},
            {"Authorization": "Bearer "},
        ):  # fmt: skip
            for path in ("/v1/model", "/metrics"):
                answer = service.ask(path, headers=headers)
                assert answer.status == 401
                assert answer.headers["www-authenticate"] == "Bearer"
            assert service.send("/v1/detect", photos(jpeg()), headers).status == 401
        assert service.ask("/v1/model", headers=right).status == 200
        assert service.send("/v1/listing", photos(jpeg()), right).status == 200
        assert service.ask("/healthz").status == service.ask("/readyz").status == 200
        document = service.ask("/openapi.json").json
        assert document["paths"]["/v1/detect"]["post"]["security"]
        assert "correct-horse" not in service.log.read_text()


@pytest.mark.parametrize("token", ["", "two words", "schlüssel"])
def test_a_token_that_nobody_could_send_is_refused(
    bright: Path, tmp_path: Path, token: str
) -> None:
    prelude = f"import os; os.environ['DMINITY_TOKEN'] = {token!r}"
    (said,) = errors(dminity(tmp_path, "serve", "--model", bright, prelude=prelude))
    assert said.startswith("DMINITY_TOKEN is empty, or has blanks")


def test_other_origins_may_ask_only_if_they_are_named(
    service: Service, bright: Path, tmp_path: Path
) -> None:
    asks = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in service.ask("/v1/model", headers=asks).headers
    options = ("--cors", "https://a.example", "--cors", "http://b.example:8080")
    with serving(bright, *options, log=tmp_path / "log") as open_to_a:
        allowed = open_to_a.ask("/v1/detect", headers=asks, method="OPTIONS")
        assert allowed.status == 200
        assert allowed.headers["access-control-allow-origin"] == "https://a.example"
        other = open_to_a.ask("/v1/model", headers={"Origin": "https://c.example"})
        assert "access-control-allow-origin" not in other.headers


def test_nothing_is_written_to_a_disk(bright: Path, tmp_path: Path) -> None:
    large = jpeg(3000, 2000) + b"\0" * 5_000_000
    with serving(bright, log=tmp_path / "log", prelude=WATCHED) as service:
        assert service.detect(large, large).status == 200
        assert service.send("/v1/listing", photos(large)).status == 200
        opened = {line["path"] for line in service.lines("opened")}
    assert not {path for path in opened if path != os.devnull}


def test_the_page_is_served_with_its_rules(bright: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<!DOCTYPE html><title>Amenities</title>")
    for name in ("app.mjs", "ort.wasm", "model.onnx", "app.webmanifest"):
        (site / name).write_text("x")
    (tmp_path / "secret").write_text("x")
    with serving(bright, "--site", site, log=tmp_path / "log") as service:
        page = service.ask("/")
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        rules = page.headers["content-security-policy"]
        assert "script-src 'self' 'wasm-unsafe-eval';" in rules
        assert "http" not in rules
        names = [path.name for path in site.iterdir()]
        kinds = {name: service.ask(f"/{name}").headers["content-type"] for name in names}
        assert kinds["app.mjs"].startswith("text/javascript")
        assert kinds["ort.wasm"] == "application/wasm"
        again = service.ask("/ort.wasm", headers={"If-None-Match": service.ask("/ort.wasm").headers["etag"]})  # fmt: skip  # noqa: E501
        assert again.status == 304
        assert "default-src 'none'; frame" in service.ask("/v1/model").headers["content-security-policy"]  # fmt: skip  # noqa: E501
        for path in ("/../secret", "/%2e%2e/secret", "/nothing.js", "/v1/nothing"):
            answer = service.ask(path)
            assert (answer.status, answer.headers["content-type"]) == (404, "application/json")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "nothing.onnx"], "nothing.onnx: no such file"),
        (["--host", "192.0.2.1"], "cannot listen at 192.0.2.1, port "),
        (["--site", "nothing"], "nothing holds no index.html"),
    ],
)
def test_what_it_cannot_begin_with_is_one_line(
    bright: Path, tmp_path: Path, options: list[str], words: str
) -> None:
    (said,) = errors(quiet(tmp_path, "--port", "0", "--model", str(bright), *options))
    assert said.startswith(words)


def quiet(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """`dminity serve`, without the notes of its start."""
    done = dminity(folder, "serve", *options)
    done.stderr = "".join(
        line for line in done.stderr.splitlines(keepends=True) if not line.startswith("note: ")
    )
    return done


def test_a_port_that_is_taken_is_one_line(bright: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        (said,) = errors(dminity(tmp_path, "serve", "--model", bright, "--port", port))
    assert said.startswith(f"cannot listen at 127.0.0.1, port {port}: ")


@pytest.mark.parametrize(
    "options", [["--port", "70000"], ["--workers", "0"], ["--cors", "a.example"], ["--queue", "x"]]
)
def test_options_that_are_none_are_one_line(tmp_path: Path, options: list[str]) -> None:
    done = dminity(tmp_path, "serve", *options)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: argument {options[0]}: {options[1]!r} is ")
