"""Programs with an empty home, in a network of their own, and the names that they look up there.

A network namespace has nothing but its loopback, on which a name server of ours notes every name
and knows none. Where the system allows none, Python itself notes what Python code asks for.

`python -m tests.helpers.name_watch NAMES COMMAND…` is what runs within the namespace.
"""

import fcntl
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.helpers import processes
from tests.helpers.project import ROOT, environment

NAMESPACE = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
# Of Linux' sys/ioctl.h and net/if.h.
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_NO_SUCH_NAME = 0x8183
# In a folder on PYTHONPATH, Python imports it at its start.
_SITECUSTOMIZE = """
import ipaddress, sys

def watch(event, details):
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = details[0]
    elif event == "socket.connect" and isinstance(details[1], tuple):
        host = details[1][0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        local = ipaddress.ip_address(name).is_loopback
    except ValueError:
        local = name in ("localhost", "None", "")
    if not local:
        with open({names!r}, "a") as file:
            file.write(name + chr(10))

sys.addaudithook(watch)
"""


def has_namespaces() -> bool:
    """Whether the system lets this user make a network of its own."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return False
    return processes.run([*NAMESPACE, "mount", "--bind", "/etc", "/etc"]).returncode == 0


def names_looked_up(
    command: Sequence[str], folder: Path, home: Path, namespaces: bool, **variables: str
) -> list[str]:
    """The names that a command, which has to succeed, looks up.

    Args:
        command: what to run.
        folder: where.
        home: the home that it has.
        namespaces: by a name server in a namespace; else in its Python code alone.
        variables: of its environment, beside the usual ones.
    """
    with TemporaryDirectory() as temporary:
        names = Path(temporary) / "names"
        names.touch()
        (Path(temporary) / "sitecustomize.py").write_text(_SITECUSTOMIZE.format(names=str(names)))
        path = [str(ROOT / "src"), str(ROOT)]
        if namespaces:
            command = [*NAMESPACE, sys.executable, "-m", __name__, str(names), *command]
        else:
            path.insert(0, temporary)
        surroundings = environment() | {"HOME": str(home), "PYTHONPATH": ":".join(path)}
        done = processes.run(command, folder, surroundings | variables)
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return names.read_text().split()


def main() -> None:
    """Run a command in the namespace that this process is in."""
    names, *command = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        fcntl.ioctl(server, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
        server.bind(("127.0.0.1", 53))
        threading.Thread(target=_answer, args=(server, Path(names)), daemon=True).start()
        _replace("/etc/resolv.conf", "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n")
        # A look-up by the system's own service would leave the namespace.
        _replace("/etc/nsswitch.conf", "hosts: files dns\n")
        sys.exit(subprocess.run(command, check=False).returncode)


def _replace(path: str, content: str) -> None:
    """Have a file of the system read otherwise within the namespace."""
    target = Path(path).resolve()
    if target.exists():
        with TemporaryDirectory() as temporary:
            other = Path(temporary) / "other"
            other.write_text(content)
            subprocess.run(["mount", "--bind", str(other), str(target)], check=True)


def _answer(server: socket.socket, names: Path) -> None:
    """Note every name that is asked for, and say that there is none such (RFC 1035, 4.1)."""
    while True:
        question, asker = server.recvfrom(512)
        labels, place = [], 12
        while length := question[place]:
            labels.append(question[place + 1 : place + 1 + length].decode(errors="replace"))
            place += 1 + length
        with names.open("a") as file:
            file.write(".".join(labels) + "\n")
        head = question[:2] + struct.pack(">HHHHH", _NO_SUCH_NAME, 1, 0, 0, 0)
        server.sendto(head + question[12 : place + 5], asker)


if __name__ == "__main__":
    main()
