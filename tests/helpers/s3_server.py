"""A real S3 server on this machine: SeaweedFS, on loopback, its telemetry off.

Tests start it on free ports. `make s3` runs this file to try `dvc push` and `dvc pull`: it starts
the server, creates the bucket, and points the `storage` remote at it in .dvc/config.local, which
Git ignores.
"""

import json
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import s3fs
from dvc.config import Config

from dminity.core.child import end, ended_with_us

# Far off: a busy machine is no failure.
START_TIMEOUT_S = 1800
# Volumes are on disk within a second of SIGTERM; the rest of the server idles for another twenty.
GRACE_S = 5
REMOTE = "storage"
BUCKET = "dminity"
LOCAL_FOLDER = Path(".dvc/tmp/s3")


@dataclass(frozen=True)
class S3Server:
    """A running server and the one identity that may write to it."""

    endpoint: str
    key: str
    secret: str

    def files(self) -> s3fs.S3FileSystem:
        """A client with that identity."""
        return s3fs.S3FileSystem(
            key=self.key,
            secret=self.secret,
            endpoint_url=self.endpoint,
            client_kwargs={"region_name": "us-east-1"},
            skip_instance_cache=True,
        )

    def remote_options(self) -> dict[str, str]:
        """What DVC has to know of a remote on this server."""
        return {
            "endpointurl": self.endpoint,
            "access_key_id": self.key,
            "secret_access_key": self.secret,
            "region": "us-east-1",
        }


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def s3_server(folder: Path, grace_s: float = 0.0) -> Iterator[S3Server]:
    """Run the server on `folder` until the block ends. Anybody may read what is put there.

    What is put there can be lost unless there is time to write it down: `grace_s`.
    """
    weed = shutil.which("weed", path=str(Path(sys.executable).parent)) or "weed"
    folder.mkdir(parents=True, exist_ok=True)
    key, secret = "dminity", secrets.token_hex(24)
    identities = [
        {
            "name": "owner",
            "credentials": [{"accessKey": key, "secretKey": secret}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        },
        {"name": "anonymous", "actions": ["Read", "List"]},
    ]
    config = folder / "identities.json"
    config.write_text(json.dumps({"identities": identities}))
    config.chmod(0o600)
    ports = dict(zip(("master", "volume", "filer", "s3"), free_ports(4), strict=True))
    grpc = dict(zip(("master", "volume", "filer", "s3"), free_ports(4), strict=True))
    command = [weed, f"-logdir={folder}", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    command += [
        f"-dir={folder}",
        "-volume.max=200",
        "-volume.preStopSeconds=0",
        "-master.volumeSizeLimitMB=256",
    ]
    command += ["-master.telemetry=false", "-filer", "-s3", f"-s3.config={config}"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += [f"-{name}.port={port}" for name, port in ports.items()]
    command += [f"-{name}.port.grpc={port}" for name, port in grpc.items()]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            ended_with_us(command, signal.SIGKILL),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    server = S3Server(f"http://127.0.0.1:{ports['s3']}", key, secret)
    try:
        wait_until_ready(server, process, folder / "server.log")
        yield server
    finally:
        end(process, grace_s)


def wait_until_ready(server: S3Server, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once a bucket can be written to."""
    end = time.monotonic() + START_TIMEOUT_S
    probe = "ready-probe"
    while True:
        try:
            files = server.files()
            if not files.exists(probe):
                files.mkdir(probe)
            files.pipe_file(f"{probe}/probe", b"ready")
        except OSError as error:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"no S3 server: {error}: {log.read_text()[-2000:]}") from error
            time.sleep(0.2)
        else:
            return


def main() -> None:
    """Serve until Ctrl-C or SIGTERM, the remote of this checkout pointed here."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), s3_server(LOCAL_FOLDER, GRACE_S) as server:
        files = server.files()
        if not files.exists(BUCKET):
            files.mkdir(BUCKET)
        options = {"url": f"s3://{BUCKET}"} | server.remote_options()
        with Config(str(LOCAL_FOLDER.parents[1])).edit("local") as config:
            config.setdefault("remote", {}).setdefault(REMOTE, {}).update(options)
        print(
            f"S3 server at {server.endpoint}, bucket {BUCKET}; the remote `{REMOTE}` points here.\n"
            "In another terminal: dvc push, or dvc pull. Ctrl-C stops the server; its files stay\n"
            f"in {LOCAL_FOLDER}. `rm .dvc/config.local` points the remote back.",
            flush=True,
        )
        while True:
            signal.pause()


if __name__ == "__main__":
    main()
