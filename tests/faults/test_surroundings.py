"""What people have in their environment, home and parameters, and what becomes of it."""

import base64
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from dminity.remote import session
from dminity.remote.faults import Unavailable, refuse_status
from dminity.remote.reading import open_folder
from dminity.remote.session import BadSurroundings
from dminity.sources.openimages import BadAnnotations, OpenImages
from dminity.sources.settings import OpenImagesSettings
from tests.helpers.project import ROOT, run_module

CONTENT = b"a file"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without what this machine's own has."""
    for name in (*PROXIES, *map(str.lower, PROXIES), *session.CERTIFICATES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def closed() -> Iterator[int]:
    """A port at which nobody listens, nor will."""
    with socket.socket() as holder:
        holder.bind(("0.0.0.0", 0))
        yield holder.getsockname()[1]


class Handler(BaseHTTPRequestHandler):
    """Answers with a file, or a redirect; as a proxy, too. It notes what it was sent."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        """Answer."""
        self.server.asked.append((self.path, dict(self.headers)))
        target = self.server.redirects.get(self.path)
        self.send_response(302 if target else 200)
        if target:
            self.send_header("Location", target)
        self.send_header("Content-Length", str(0 if target else len(CONTENT)))
        self.end_headers()
        if not target:
            self.wfile.write(CONTENT)

    def do_CONNECT(self) -> None:
        """As a proxy: refuse to pass on."""
        self.server.asked.append((self.path, dict(self.headers)))
        self.send_error(407)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """The server."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.redirects: dict[str, str] = {}

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Run a server until the block ends."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server."""
    with serving(Server()) as running:
        yield running


@pytest.fixture
def proxy() -> Iterator[Server]:
    """Another, as a proxy."""
    with serving(Server()) as running:
        yield running


# Credentials.


def test_a_netrc_is_not_sent_to_a_public_server_nor_after_a_redirect(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\ndefault login me password s\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    server.redirects["/folder/file"] = f"http://localhost:{server.port}/elsewhere"
    assert open_folder(f"{server.address}/folder").read("file") == CONTENT
    assert [path for path, _ in server.asked] == ["/folder/file", "/elsewhere"]
    assert not [headers for _, headers in server.asked if "Authorization" in headers]


def test_credentials_in_a_redirect_are_not_sent(server: Server) -> None:
    server.redirects["/file"] = f"http://me:secret@127.0.0.1:{server.port}/elsewhere"
    assert open_folder(server.address).read("file") == CONTENT
    assert not [headers for _, headers in server.asked if "Authorization" in headers]


@pytest.mark.parametrize(
    "target",
    ["http://[::1", "http://host:99999999/", "http://", "file:///etc/passwd", "s3://b/f", "/file"],
)
def test_a_redirect_to_what_is_no_address_is_a_refusal(server: Server, target: str) -> None:
    server.redirects |= {"/file": target, "/": "/"}
    with pytest.raises(Unavailable) as caught:
        open_folder(server.address).read("file")
    assert (caught.value.reason, caught.value.passing) == ("refused", False)


# Proxies.


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_companys_proxy_is_asked_for_other_machines(
    proxy: Server, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://me:word@127.0.0.1:{proxy.port}")
    assert open_folder("http://images.test").read("file") == CONTENT
    ((path, headers),) = proxy.asked
    assert path == "http://images.test/file"
    credentials = base64.b64encode(b"me:word").decode()
    assert headers["Proxy-Authorization"] == f"Basic {credentials}"


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "localhost", "127.1.2.3", "[::ffff:127.0.0.1]"]
)
def test_no_proxy_is_asked_for_this_machine(
    server: Server,
    proxy: Server,
    closed: int,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    host: str,
) -> None:
    monkeypatch.setenv(variable, proxy.address)
    if host in ("127.1.2.3", "[::ffff:127.0.0.1]"):
        with pytest.raises(Unavailable, match="connection lost"):
            open_folder(f"http://{host}:{closed}").read("file")
    else:
        server.redirects["/file"] = f"http://{host}:{server.port}/elsewhere"
        assert open_folder(f"http://{host}:{server.port}").read("file") == CONTENT
    assert proxy.asked == []


def test_a_redirect_from_elsewhere_to_this_machine_asks_no_proxy(
    server: Server, proxy: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.address)
    proxy.redirects["http://images.test/file"] = f"{server.address}/elsewhere"
    assert open_folder("http://images.test").read("file") == CONTENT
    assert [path for path, _ in server.asked] == ["/elsewhere"]


def test_what_no_proxy_names_is_asked_without(
    proxy: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.address)
    monkeypatch.setenv("NO_PROXY", "images.invalid")
    with pytest.raises(Unavailable):
        open_folder("http://images.invalid").read("file")
    assert proxy.asked == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("spelling", [str.upper, str.lower])
def test_a_proxy_that_does_not_answer_is_named(
    closed: int, monkeypatch: pytest.MonkeyPatch, scheme: str, spelling: Callable[[str], str]
) -> None:
    variable = spelling(f"{scheme}_proxy")
    monkeypatch.setenv(variable, f"http://me:secret@127.0.0.1:{closed}")
    with pytest.raises(Unavailable, match=f"no answer from {variable}: .*refused") as caught:
        open_folder(f"{scheme}://images.test").read("file")
    assert caught.value.passing
    assert "secret" not in str(caught.value)


def test_a_proxy_that_refuses_is_named(proxy: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.address)
    with pytest.raises(Unavailable, match=r"HTTPS_PROXY: .*407 Proxy Authentication Required"):
        open_folder("https://images.test").read("file")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("status", [403, 404, 407, 429, 500, 502, 503, 504])
def test_a_proxy_is_named_only_where_the_status_may_be_its_own(
    monkeypatch: pytest.MonkeyPatch, scheme: str, status: int
) -> None:
    monkeypatch.setenv(f"{scheme}_proxy", "http://proxy.test:3128")
    response = requests.Response()
    response.status_code = status
    response.url = f"{scheme}://images.test/file"
    with pytest.raises(Unavailable, match=f"{response.url}: status {status}") as caught:
        refuse_status(response)
    may_be_its_own = scheme == "http" and status in (407, 502, 503, 504)
    assert (f"by the proxy of {scheme}_proxy" in str(caught.value)) == may_be_its_own


def test_after_a_redirect_the_proxy_of_the_other_address_is_named(
    server: Server, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed}")
    server.redirects["/file"] = "http://images.test/elsewhere"
    message = r"no answer from HTTP_PROXY: http://images\.test/elsewhere: Connection refused, by "
    with pytest.raises(Unavailable, match=message):
        open_folder(server.address).read("file")


@pytest.mark.parametrize(
    "value",
    [
        "socks5://127.0.0.1:1080",
        "ftp://127.0.0.1:21",
        "http://",
        "http://me:secret@127.0.0.1:999999",
        "http://me:secret@[::1",
        ":::nonsense",
        "http://127.0.0.1:port",
    ],
)
def test_a_proxy_that_is_none_is_one_line_without_its_password(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    expected = "HTTPS_PROXY is no proxy that can be used; give http://host:port, or unset it"
    with pytest.raises(BadSurroundings) as caught:
        open_folder("https://images.test").read("file")
    assert str(caught.value) == expected


# Certificates.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine that nobody has signed, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "own.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "own.pem"


@pytest.fixture
def secure(certificate: Path) -> Iterator[str]:
    """The address of a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server = Server()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    with serving(server):
        yield f"https://127.0.0.1:{server.port}"


@pytest.mark.parametrize("variable", session.CERTIFICATES)
def test_a_companys_certificates_are_trusted(
    secure: str, certificate: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(certificate))
    # What other programs read plays no part; nor is a log of our keys written, or missed.
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere")
    monkeypatch.setenv("SSLKEYLOGFILE", "/nowhere/keys")
    assert open_folder(secure).read("file") == CONTENT


def test_a_certificate_that_is_not_trusted_is_said_with_the_mend(secure: str) -> None:
    message = "certificate not trusted: .*self-signed certificate; REQUESTS_CA_BUNDLE may name a f"
    with pytest.raises(Unavailable, match=message) as caught:
        open_folder(secure).read("file")
    assert not caught.value.passing


def test_a_file_of_certificates_that_has_none_is_named(
    secure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "empty.pem"
    path.touch()
    monkeypatch.setenv("CURL_CA_BUNDLE", str(path))
    with pytest.raises(Unavailable, match=f"no secure connection: .*CURL_CA_BUNDLE is {path}"):
        open_folder(secure).read("file")


def test_the_certificate_of_a_proxy_that_is_not_trusted_is_said_and_not_asked_for_again(
    secure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", secure)
    message = "certificate not trusted: .*self-signed certificate; .*, by the proxy of HTTPS_PROXY"
    with pytest.raises(Unavailable, match=message) as caught:
        open_folder("https://images.test").read("file")
    assert not caught.value.passing


def test_a_server_without_encryption_is_no_matter_of_certificates(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="no secure connection: ") as caught:
        open_folder(server.address.replace("http:", "https:")).read("file")
    assert session.CERTIFICATES[0] not in str(caught.value)
    assert not caught.value.passing


@contextmanager
def breaking(certificate: Path, head: bytes | None) -> Iterator[int]:
    """The port of a secure server that breaks one connection: after so much, or before it is one.

    What then comes is noise, as of a cable or a program in between.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))

    def answer() -> None:
        connection, _ = listener.accept()
        if head is None:
            connection.recv(1 << 16)
        else:
            encrypted = context.wrap_socket(connection, server_side=True)
            encrypted.recv(1 << 16)
            encrypted.sendall(head)
            connection = socket.socket(fileno=encrypted.detach())
            connection.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(None, id="while it is made"),
        pytest.param(b"", id="before the answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc", id="in mid-body"),
    ],
)
def test_a_secure_connection_that_breaks_is_asked_for_again(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, head: bytes | None
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with (
        breaking(certificate, head) as port,
        pytest.raises(Unavailable, match="connection lost: ") as caught,
    ):
        open_folder(f"https://127.0.0.1:{port}").read("file")
    assert caught.value.passing
    assert "REQUESTS_CA_BUNDLE" not in str(caught.value)


@pytest.mark.parametrize("path", ["/opt/gone.pem", "/" + "a" * 300, "~/own.pem"])
def test_certificates_that_are_not_there_are_named(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", path)
    with pytest.raises(BadSurroundings, match=f"REQUESTS_CA_BUNDLE names {path}, which is not th"):
        open_folder("https://images.test").read("file")


def test_certificates_that_may_not_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.pem"
    path.touch()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    # root may read everything.
    monkeypatch.setattr(os, "access", lambda _, mode: mode == os.F_OK)
    with pytest.raises(BadSurroundings, match=f"names {path}, which may not be read; correct or"):
        open_folder("https://images.test").read("file")


@pytest.mark.parametrize("variable", session.CERTIFICATES)
def test_certificates_that_are_gone_are_one_line_and_not_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "/opt/gone/cacert.pem")
    params = (ROOT / "params.yaml").read_text().replace("source: demo", "source: openimages")
    changed = params.replace("https://storage.googleapis.com", "https://127.0.0.1:9")
    (tmp_path / "params.yaml").write_text(changed)
    done = run_module(tmp_path, "dminity.stages.index")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"error: {variable} names /opt/gone/cacert.pem, which is not there; correct or unset it"
    )


def test_without_https_no_certificates_are_needed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/opt/gone/cacert.pem")
    assert open_folder(server.address).read("file") == CONTENT


# Addresses and folders.


def settings(**changes: str) -> OpenImagesSettings:
    """Parameters with some changed."""
    values = {"annotations": "/nowhere", "images": "/nowhere", "s3_endpoint": "https://s3.test"}
    return OpenImagesSettings.model_validate(values | changes | {"partial": True})


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "'' is no address; give https://…, s3://… or a folder's path"),
        ("  ", "'  ' is no address"),
        ("/data\0/oi", "'/data.x00/oi' is no path"),
        ("file:///data/oi", "file:// is no address that can be read; give the path, /data/oi"),
        (
            "gs://openimages",
            "gs:// is no address that can be read; addresses begin with https:// or s3",
        ),
        ("https://", "'https://' has no host; give https://host/folder"),
        ("http:///folder", "'http:///folder' has no host"),
        ("https://:443/folder", "'https://:443/folder' has no host"),
        ("https://host:99999", "'https://host:99999' is no address: Port out of range"),
        ("https://[::1", "is no address: Invalid IPv6 URL"),
        ("s3://", "'s3://' has no bucket; give s3://bucket/folder"),
        ("s3:///folder", "'s3:///folder' has no bucket"),
        ("https://me:secret@host/folder", "without user name and password; leave them out"),
        ("https://host/folder?token=1", "has \\? or # in it; give the address of a folder"),
        ("~no-such-user/oi/x", "'~no-such-user/oi/x': that user's home is not known; give"),
        ("~no.body/x", "'~no.body/x': that user's home is not known; give the whole path \\["),
    ],
)
@pytest.mark.parametrize("parameter", ["annotations", "images"])
def test_an_address_that_is_none_is_named_with_the_parameter(
    tmp_path: Path, parameter: str, address: str, message: str
) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        settings(**{parameter: address})
    assert caught.value.errors()[0]["loc"] == (parameter,)
    assert "\n" not in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize("address", ["", "s3.test", "ftp://s3.test", "https://"])
def test_a_server_that_is_none_is_named(address: str) -> None:
    with pytest.raises(ValidationError, match="s3_endpoint"):
        settings(s3_endpoint=address)


def test_an_address_that_is_none_is_one_line_of_the_stage(tmp_path: Path) -> None:
    params = (ROOT / "params.yaml").read_text()
    changed = params.replace("https://storage.googleapis.com/openimages", "file:///data")
    (tmp_path / "params.yaml").write_text(changed)
    done = run_module(tmp_path, "dminity.stages.index")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "error: params.yaml: openimages.annotations: file:// is no address that can be read; "
        "give the path, /data"
    )


def test_a_tilde_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "oi").mkdir()
    (tmp_path / "oi/file").write_bytes(CONTENT)
    assert open_folder(settings(images="~/oi").images).read("file") == CONTENT


def test_the_root_of_the_disk_is_a_folder() -> None:
    with pytest.raises(Unavailable, match=r"not found: /no-such-file: "):
        open_folder("/").read("no-such-file")


def a_file(place: Path) -> Path:
    """A file where a folder is meant."""
    (place / "boxes.csv").touch()
    return place / "boxes.csv"


def a_link_to_nowhere(place: Path) -> Path:
    """A link whose target is gone."""
    (place / "link").symlink_to(place / "gone")
    return place / "link"


def a_loop(place: Path) -> Path:
    """A link to itself."""
    (place / "loop").symlink_to(place / "loop")
    return place / "loop"


def a_long_name(place: Path) -> Path:
    """A name that no file can have."""
    return place / ("a" * 300)


def a_folder_without_it(place: Path) -> Path:
    """Another folder."""
    return place


def a_folder_of_that_name(place: Path) -> Path:
    """A folder in place of the file."""
    (place / "v5/class-descriptions-boxable.csv").mkdir(parents=True)
    return place


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda place: place / "gone", "no such folder: the folder {address} is not there"),
        (a_file, "not a folder: {address} is a file, where a folder is meant"),
        (a_link_to_nowhere, "no such folder: the folder {address} leads nowhere"),
        (a_loop, "no such folder: the folder {address} leads nowhere"),
        (a_long_name, "cannot be read: {name}: File name too long"),
        (a_folder_without_it, "not found: {name}: No such file or directory"),
        (a_folder_of_that_name, "not a file: {name}: Is a directory"),
    ],
)
def test_a_folder_that_is_none_is_named(
    tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    address = make(tmp_path)
    name = f"{address}/v5/class-descriptions-boxable.csv"
    expected = message.format(address=address, name=name)
    with pytest.raises(BadAnnotations) as caught:
        OpenImages(settings(annotations=str(address))).check_codes()
    assert str(caught.value) == (
        f"{expected}; check openimages.annotations, the folder that holds v5 and v6, or that file"
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(5, "Input/output error"), "cannot be read"),
        (OSError(116, "Stale file handle"), "cannot be read"),
        (PermissionError(13, "Permission denied"), "forbidden"),
    ],
)
def test_a_disk_that_fails_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(Unavailable, match=f"{reason}: {tmp_path}/file: {error.strerror}") as caught:
        open_folder(str(tmp_path)).read("file")
    assert caught.value.reason == reason
    assert not caught.value.passing


# Clouds.


def test_cloud_variables_play_no_part(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ENDPOINT_URL",
        "AWS_PROFILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_PROJECT",
        "AZURE_STORAGE_CONNECTION_STRING",
        "STORAGE_EMULATOR_HOST",
    ):
        monkeypatch.setenv(name, "hostile")
    assert open_folder("s3://bucket", server.address).read("train/file.jpg") == CONTENT
    ((path, headers),) = server.asked
    assert path == "/bucket/train/file.jpg"
    assert set(headers) == {"Host", "User-Agent", "Accept-Encoding", "Accept", "Connection"}


def test_a_failure_names_what_is_at_the_bottom_of_it(closed: int) -> None:
    address = f"http://127.0.0.1:{closed}"
    with pytest.raises(Unavailable) as caught:
        open_folder(address).read("file")
    assert str(caught.value) == f"connection lost: {address}/file: Connection refused"
