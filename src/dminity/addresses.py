"""Reading files by address: https, s3 and paths are one code path, through fsspec.

Public buckets are read unsigned and from a named server, so that the AWS_* variables and profiles
that people keep for their own remote play no part.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import aiohttp
import fsspec
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError
from fsspec.core import url_to_fs


class Folder:
    """A public folder at an https or s3 address or a path.

    Everything that goes wrong between here and a remote file is an OSError; a file that is not
    there is a FileNotFoundError.
    """

    def __init__(self, address: str, s3_endpoint: str | None = None) -> None:
        """Name the folder; `s3_endpoint` is the server that holds it if it is an s3 address."""
        self.address = address.rstrip("/")
        options: dict[str, Any] = {}
        if self.address.startswith("s3://"):
            options = {"anon": True, "endpoint_url": s3_endpoint, "session": nobodys_session()}
        elif self.address.startswith(("http://", "https://")):
            options = {"client_kwargs": {"trust_env": True}}
        self.files: fsspec.AbstractFileSystem
        self.files, self.root = url_to_fs(self.address, **options)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file of the folder for reading from start to end."""
        with as_os_error(), self.files.open(f"{self.root}/{name}", "rb") as stream:
            yield stream

    def read(self, name: str) -> bytes:
        """The whole of a file of the folder."""
        with as_os_error():
            content: bytes = self.files.cat_file(f"{self.root}/{name}")
        return content


def nobodys_session() -> AioSession:
    """An AWS session that looks for no profile: AWS_PROFILE may name one that is not here."""
    return AioSession(session_vars={"profile": (None, None, None, None)})


@contextmanager
def as_os_error() -> Iterator[None]:
    """Give the failures of the HTTP and S3 clients the one type that files have."""
    try:
        yield
    except (aiohttp.ClientError, BotoCoreError) as error:
        raise OSError(" ".join(str(error).split())) from error
