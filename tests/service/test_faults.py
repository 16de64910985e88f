"""What clients do wrong, or on purpose: each gets a 4xx or nothing, and the others go on."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.photos import jpeg, jpeg_of_size, png_of_size
from tests.helpers.service import Part, Service, form, head, photos, serving, wait_for

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
UPLOADS = "/v1/detect"


@pytest.fixture(scope="module")
def impatient(bright: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that gives a request two seconds."""
    log = tmp_path_factory.mktemp("impatient") / "log"
    with serving(bright, "--limit-seconds", "2", log=log) as started:
        yield started


def answer_of(connection: socket.socket) -> bytes:
    """All that is answered until the connection is closed."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png_of_size(60_000, 60_000), "60000 x 60000 pixels are too many"),
        (jpeg_of_size(9_000, 8_000), "9000 x 8000 pixels are too many"),
        (jpeg()[:400], "cut off or damaged"),
        (SVG, "a web page or a drawing"),
        (HTML, "a web page or a drawing"),
        (b"", "it is empty"),
        (b"GIF89a" + b"\xff" * 50, ""),
    ],
    ids=["bomb", "more than the limit", "cut off", "SVG", "HTML", "empty", "garbage"],
)
def test_what_is_no_photo_is_named(service: Service, content: bytes, reason: str) -> None:
    answer = service.detect(content)
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    (failed,) = answer.json["failed"]
    assert failed["photo"] == "0.jpg"
    assert reason in failed["reason"]
    assert b"<" not in answer.body
    # With a photo beside it, the others are looked at.
    both = service.detect(content, jpeg())
    assert both.status == 200
    assert both.json["failed"] == [failed]


def test_a_bomb_takes_no_memory(service: Service) -> None:
    assert service.detect(jpeg()).status == 200
    before = service.metric("process_resident_memory_bytes")
    bombs = [png_of_size(side, side) for side in (8_001, 9_999, 15_000, 60_000)]
    assert service.detect(*bombs).status == 422
    assert service.metric("process_resident_memory_bytes") - before < 50e6


PHOTO: Part = ("photos", "a.jpg", jpeg())


@pytest.mark.parametrize(
    ("path", "parts", "status", "words"),
    [
        (UPLOADS, [], 422, "there is no photo"),
        (UPLOADS, [("file", "a.jpg", b"x")], 422, "there is no field 'file'; there are photos"),
        (UPLOADS, [PHOTO, ("claims", None, b"amenity\n")], 422, "there is no field 'claims'"),
        (UPLOADS, [PHOTO] * 6, 413, "more than 5 photos"),
        (UPLOADS, photos(b"x" * 2_100_000), 413, "more than 2 MB"),
        ("/v1/listing", [PHOTO, ("claims", None, b"amenity\nPalace\n")], 422, "no amenity"),
        ("/v1/listing", [PHOTO, *[("home", None, b"flat")] * 2], 422, "home is there twice"),
        ("/v1/listing", [PHOTO, ("claims", None, b"\xff\xfe")], 422, "claims is not in UTF-8"),
        ("/v1/listing", [PHOTO, ("claims", None, b"bed\n")], 422, "no column 'amenity'"),
        ("/v1/listing", [PHOTO, ("claims", None, b'amenity\n"Bed')], 422, "is no CSV"),
        ("/v1/listing", [PHOTO, ("claims", None, b"x" * 200_000)], 413, "100000 bytes"),
        ("/v1/listing", [PHOTO, ("claims", None, b"amenity,home\nBed,b\n")], 422, "no home"),
    ],
)
def test_a_form_that_cannot_be_answered(
    service: Service, path: str, parts: list[Part], status: int, words: str
) -> None:
    answer = service.send(path, parts)
    assert answer.status == status
    assert words in answer.json["error"]
    assert "Bearer" not in answer.headers.get("www-authenticate", "")


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("", b"", 415),
        ("image/jpeg", jpeg(), 415),
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"--a\r\n", 400),
        (f"multipart/form-data; boundary={'b' * 300}", b"--a\r\n", 400),
        ("multipart/form-data; boundary=a", b"", 400),
        ("multipart/form-data; boundary=a", b"--b\r\n", 400),
        ("multipart/form-data; boundary=a", b"--a\r\nbad header\r\n\r\n", 400),
        ("multipart/form-data; boundary=a", b"--a\r\n" + b"x: y\r\n" * 100, 400),
        ("multipart/form-data; boundary=a", b"--a\r\n\r\nphoto\r\n--a--\r\n", 422),
        ('multipart/form-data; boundary="', b"--a--", 400),
    ],
)
def test_what_is_no_form(service: Service, kind: str, body: bytes, status: int) -> None:
    assert service.ask(UPLOADS, body, {"Content-Type": kind}).status == status


def test_50_mb_are_refused_before_they_are_read(service: Service) -> None:
    kind, _ = form([])
    with service.connect() as connection:
        connection.sendall(head(UPLOADS, 50_000_000, kind))
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
    # One that says nothing of its length, too; it may have gone on sending meanwhile.
    chunk = b"80000\r\n" + b"x" * 0x80000 + b"\r\n"
    with service.connect() as connection:
        connection.sendall(
            f"POST {UPLOADS} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode()
        )
        start = b'--x\r\nContent-Disposition: form-data; name="photos"; filename="a"\r\n\r\n'
        connection.sendall(f"{len(start):x}\r\n".encode() + start + b"\r\n" + chunk * 5)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
    assert service.detect(jpeg()).status == 200


def test_methods_and_paths_that_are_not_there(service: Service) -> None:
    assert service.ask(UPLOADS).status == 405
    assert service.ask("/v1/model", b"x").status == 405
    assert service.ask("/v1/../../etc/passwd").status == 404
    assert service.ask("/v1/detect", b"", method="FROB").status == 405


def test_a_client_that_leaves_in_mid_upload(service: Service) -> None:
    kind, body = form(photos(jpeg()))
    left = service.metric('dminity_rejected_total{reason="left"}')
    for closing in ("at once", "half"):
        with service.connect() as connection:
            connection.sendall(head(UPLOADS, len(body), kind, "Expect: 100-continue"))
            assert b"100" in connection.recv(100)
            connection.sendall(body[: len(body) // 2])
            if closing == "half":
                # Its length is a lie: no more will come.
                connection.shutdown(socket.SHUT_WR)
                assert not answer_of(connection).startswith(b"HTTP/1.1 2")
    wait_for(
        lambda: service.metric('dminity_rejected_total{reason="left"}') >= left + 2, "they left"
    )
    assert service.metric("dminity_queue") == 0
    assert service.detect(jpeg()).status == 200


def drip(connection: socket.socket, rest: bytes) -> bytes:
    """Send a byte a second until an answer comes; all of it, until the connection is closed."""
    connection.settimeout(1.0)
    for position in range(len(rest)):
        try:
            connection.sendall(rest[position : position + 1])
            received = connection.recv(65536)
        except TimeoutError:
            continue
        except OSError:
            return b""
        connection.settimeout(1800)
        return received
    raise AssertionError("nobody ended it")


def test_slow_clients_are_ended_and_hold_nobody_up(impatient: Service) -> None:
    kind, body = form(photos(jpeg()))
    start = head(UPLOADS, len(body), kind)
    with ThreadPoolExecutor(20) as pool:
        bodies = [impatient.connect() for _ in range(10)]
        heads = [impatient.connect() for _ in range(9)]
        silent = impatient.connect()
        for connection in bodies:
            connection.sendall(start)
        slow = [pool.submit(drip, connection, body) for connection in bodies]
        slower = [pool.submit(drip, connection, start) for connection in heads]
        # On a busy machine, two seconds may be too few for anybody.
        wait_for(lambda: impatient.detect(jpeg()).status == 200, "they hold it up")
        assert all(job.result().startswith(b"HTTP/1.1 408 ") for job in slow)
        assert {job.result() for job in slower} == {b""}
        assert silent.recv(10) == b""
        for connection in (*bodies, *heads, silent):
            connection.close()
    assert impatient.metric('dminity_rejected_total{reason="time"}') >= 10


def test_a_client_that_does_not_read_is_ended(bright: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<!doctype html>")
    # More than lies in the buffers between them.
    (site / "large.bin").write_bytes(bytes(64_000_000))
    options = ("--limit-seconds", "1", "--site", site)
    with serving(bright, *options, log=tmp_path / "log") as service:
        process = psutil.Process(service.process.pid)
        with service.connect() as connection:
            _, port = connection.getsockname()

            def connected() -> bool:
                others = [each.raddr for each in process.net_connections("tcp")]
                return any(other and other.port == port for other in others)

            connection.sendall(b"GET /large.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert connection.recv(8) == b"HTTP/1.1"
            assert connected()
            wait_for(lambda: not connected(), "it holds the connection for ever")
        assert service.ask("/healthz").status == 200


def test_200_requests_at_once(bright: Path, tmp_path: Path) -> None:
    kind, body = form(photos(jpeg()))
    request = head(UPLOADS, len(body), kind, "Connection: close") + body
    with serving(bright, "--queue", "4", log=tmp_path / "log") as service:
        connections = [service.connect() for _ in range(200)]
        for connection in connections:
            connection.sendall(request)
        answers = [answer_of(connection) for connection in connections]
        for connection in connections:
            connection.close()
        seen = [answer for answer in answers if answer.startswith(b"HTTP/1.1 200 ")]
        busy = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503 ")]
        assert seen
        assert len(seen) + len(busy) == 200
        assert all(b"\r\nretry-after: 1\r\n" in answer for answer in busy)
        assert service.detect(jpeg()).status == 200
        assert service.metric("dminity_queue") == 0


def test_uploads_share_a_bounded_memory(bright: Path, tmp_path: Path) -> None:
    # Eight times 1 MB for all; each of these holds 0.9 MB and waits for its end.
    kind, body = form(photos(b"x" * 900_000))
    with serving(bright, "--limit-mb", "1", log=tmp_path / "log") as service:
        holding = [service.connect() for _ in range(8)]
        for connection in holding:
            connection.sendall(head(UPLOADS, len(body), kind) + body[:-10])
        wait_for(lambda: service.metric("dminity_upload_bytes") > 7.2e6, "they do not arrive")
        assert service.detect(b"x" * 900_000).status == 503
        for connection in holding:
            connection.sendall(body[-10:])
            assert connection.recv(65536).startswith(b"HTTP/1.1 422 ")
            connection.close()
        assert service.detect(jpeg()).status == 200


GARBAGE = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            [b"--x", b"--x--", b"\r\n", b"\n", b"Content-Disposition: form-data; ",
             b'name="photos"', b'; filename="a.jpg"', b"name=claims", jpeg(), jpeg()[:200],
             b"\0", b"Content-Type: a"]
        ),
        max_size=25,
    ).map(b"".join),
    st.binary(max_size=400).map(
        lambda data: form([("photos", "a.jpg", data)])[1]
    ),
)  # fmt: skip


@given(body=GARBAGE, path=st.sampled_from(["/v1/detect", "/v1/listing"]))
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
def test_garbage_never_ends_in_a_fault_of_ours(service: Service, body: bytes, path: str) -> None:
    for boundary in ("x", body[2:34].decode("latin-1").strip()):
        if not boundary.isprintable():
            continue
        kind = f"multipart/form-data; boundary={boundary}"
        answer = service.ask(path, body, {"Content-Type": kind})
        assert answer.status in (200, 400, 413, 415, 422), answer


@pytest.mark.parametrize(
    "garble",
    [
        lambda content, position: content[:position],
        lambda content, position: content[:position] + b"\xff" * 40 + content[position + 40 :],
        lambda content, position: content[:position] + content[position + 7 :],
    ],
    ids=["cut", "overwritten", "shortened"],
)
def test_damaged_photos_never_end_in_a_fault_of_ours(
    service: Service, garble: Callable[[bytes, int], bytes]
) -> None:
    content = jpeg()
    for position in range(0, len(content), max(1, len(content) // 25)):
        assert service.detect(garble(content, position)).status in (200, 422)


@given(data=st.binary(min_size=1, max_size=200))
@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
def test_what_is_no_http_is_refused_or_closed(service: Service, data: bytes) -> None:
    with service.connect() as connection:
        connection.sendall(data + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        try:
            answer = answer_of(connection)
        except ConnectionResetError:
            return
        assert answer[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 405"), answer
