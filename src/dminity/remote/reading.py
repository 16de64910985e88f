"""Reading public files by address: https, s3 and paths are one code path.

A file of a public S3 bucket is read over plain HTTPS, unsigned and from a named server: whatever
AWS_* variables, profiles and credentials people keep for their own remote play no part.
"""

import base64
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import requests

from dminity.remote.faults import Changed, Unavailable, as_unavailable, refuse_status
from dminity.remote.session import PublicSession

# The longest to wait for a connection, and for the next byte of one that is open.
CONNECT_S = 10.0
SILENCE_S = 20.0
# What is read whole, such as a photo, has to come within this time, and is never larger.
WHOLE_FILE_S = 120.0
LARGEST_WHOLE_FILE_BYTES = 64 << 20
PIECE_BYTES = 1 << 18
NAME_OF_FAILURE: dict[type[OSError], str] = {
    FileNotFoundError: "not found",
    NotADirectoryError: "not found",
    IsADirectoryError: "not a file",
    PermissionError: "forbidden",
}


class Readable(Protocol):
    """What can be read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        ...


@dataclass(frozen=True)
class Opened:
    """A file that is being read.

    version: another where the file is another. size: bytes of the whole file, and crc32c: their
    checksum; None where the server does not say.
    """

    stream: Readable
    version: str
    size: int | None
    crc32c: int | None = None

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end of the file."""
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes as they come."""
        while size and (piece := self.stream.read(min(size, PIECE_BYTES))):
            yield piece
            size -= len(piece)


class Folder(ABC):
    """A public folder. All that goes wrong with one of its files is `Unavailable`.

    `BadSurroundings` is raised where the environment names certificates or a proxy of no use.
    """

    address: str

    @abstractmethod
    def open(self, name: str, start: int = 0, version: str = "") -> AbstractContextManager[Opened]:
        """Open a file for reading from byte `start` on.

        Raises:
            Changed: if `version` is given and the file is of another one.
        """

    def read(self, name: str) -> bytes:
        """The whole of a small file."""
        place = f"{self.address}/{name}"
        end = time.monotonic() + WHOLE_FILE_S
        content = bytearray()
        with self.open(name) as file:
            for piece in file.pieces(LARGEST_WHOLE_FILE_BYTES + 1):
                content += piece
                if time.monotonic() > end:
                    raise Unavailable("too slow", f"{place}: {len(content)} bytes", passing=True)
        if len(content) > LARGEST_WHOLE_FILE_BYTES:
            raise Unavailable("too large", f"{place}: over {LARGEST_WHOLE_FILE_BYTES} bytes")
        return bytes(content)


def open_folder(address: str, s3_endpoint: str = "") -> Folder:
    """The folder at an https or s3 address or a path; `s3_endpoint` serves the s3 addresses."""
    if address.startswith("s3://"):
        path = address.removeprefix("s3://").rstrip("/")
        return _WebFolder(address.rstrip("/"), f"{s3_endpoint.rstrip('/')}/{path}")
    if address.startswith(("http://", "https://")):
        return _WebFolder(address.rstrip("/"), address.rstrip("/"))
    return _DiskFolder(address)


class _DiskFolder(Folder):
    """A folder of this machine."""

    def __init__(self, address: str) -> None:
        self.address = address

    @contextmanager
    def open(self, name: str, start: int = 0, version: str = "") -> Iterator[Opened]:
        """See `Folder`; a file of another size or time is another version."""
        path = Path(self.address) / name
        try:
            with path.open("rb", buffering=0) as stream:
                status = os.fstat(stream.fileno())
                found = f"{status.st_size}-{status.st_mtime_ns}"
                _refuse_change(path, version, found)
                stream.seek(start)
                yield Opened(stream, found, status.st_size)
        except Unavailable:
            raise
        except OSError as error:
            raise self.unavailable(path, error) from error

    def unavailable(self, path: Path, error: OSError) -> Unavailable:
        """What is at fault: the folder, the file or the disk."""
        folder = Path(self.address)
        # A path that is too long, or a loop of links, cannot even be asked about.
        with suppress(OSError):
            if not folder.exists():
                said = "leads nowhere" if folder.is_symlink() else "is not there"
                return Unavailable("no such folder", f"the folder {folder} {said}")
            if not folder.is_dir():
                return Unavailable("not a folder", f"{folder} is a file, where a folder is meant")
        reason = next(
            (name for kind, name in NAME_OF_FAILURE.items() if isinstance(error, kind)),
            "cannot be read",
        )
        return Unavailable(reason, f"{path}: {error.strerror}")


class _WebFolder(Folder):
    """A folder of a web or S3 server, at an https URL."""

    def __init__(self, address: str, url: str) -> None:
        self.address = address
        self.url = url
        self.session = PublicSession()

    @contextmanager
    def open(self, name: str, start: int = 0, version: str = "") -> Iterator[Opened]:
        """See `Folder`; asks for the rest of a file by a range."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        url = f"{self.url}/{quote(name)}"
        patience_s = CONNECT_S, SILENCE_S
        with as_unavailable(url), self.session.ask(url, headers, patience_s) as response:
            refuse_status(response)
            found = response.headers.get("ETag") or response.headers.get("Last-Modified", "")
            _refuse_change(url, version, found)
            opened = Opened(_Body(response.raw), found, _whole_size(response), _crc32c(response))
            if start and response.status_code != 206:
                # A server that does not know ranges begins at the beginning.
                for _ in opened.pieces(start):
                    pass
            yield opened


class _Body:
    """The body of a response, as it comes: a reader need not wait for a full piece."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        piece: bytes = self.raw.read1(size)
        return piece


def _refuse_change(place: object, version: str, found: str) -> None:
    """Raise if a version is asked for and another found."""
    if version and version != found:
        raise Changed("changed", f"{place}: {version} is {found} now")


def _whole_size(response: requests.Response) -> int | None:
    """Bytes of the whole file, of which the response may be a part."""
    # Content-Range: bytes 100-199/200
    whole = response.headers.get("Content-Range", "").rpartition("/")[2]
    size = whole or response.headers.get("Content-Length", "")
    return int(size) if size.isdecimal() else None


def _crc32c(response: requests.Response) -> int | None:
    """The checksum that Google's storage sends: x-goog-hash: crc32c=n03x6A==,md5=…, in base64."""
    for value in response.headers.get("x-goog-hash", "").split(","):
        name, _, code = value.strip().partition("=")
        if name == "crc32c":
            # A header that is not as it should be says nothing.
            with suppress(ValueError):
                return int.from_bytes(base64.b64decode(code), "big")
    return None
