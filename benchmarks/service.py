"""What the service costs beside the runtime's own loop, and whether its memory grows.

    python -m benchmarks.service [MODEL]

Clients, service and loop share the cores: the service pays for its clients, too. Both look at the
same photos with the same threads, and take turns. MODEL: an exported one; without it, a yolox_nano
of 416 pixels with fresh weights, which are as fast.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median, quantiles

import cv2
import numpy as np
import psutil

from dminity.commands.text_table import aligned
from dminity.core.amenities import NAMES
from dminity.export.onnx import write_onnx
from dminity.network.detector import Detector, build_network
from dminity.runtime.finding import cores
from dminity.runtime.model_file import Description
from dminity.sources.rooms import scene

CLIENTS, TURNS, TURN_S = 8, 12, 5.0
REQUESTS, SAMPLES = 10_000, 100
SIDE = 416
PHOTO_SIZE, SMALL_SIZE = (1600, 1066), (400, 266)

LOOP = """
import sys, time
from pathlib import Path
import cv2
from dminity.runtime.detector import load_onnx
from dminity.runtime.finding import BoxThresholds, find_all
from dminity.runtime.inputs import Picture
from dminity.runtime.photo import read_photo
model, photo, threads = sys.argv[1:]
cv2.setNumThreads(1)
detector = load_onnx(Path(model), 1)
content = Path(photo).read_bytes()
thresholds = BoxThresholds(detector.description.thresholds)
def pictures(end):
    while time.perf_counter() < end:
        yield Picture("photo", lambda size: read_photo(content, size))
for line in sys.stdin:
    start = time.perf_counter()
    count = sum(1 for _ in find_all(
        pictures(start + float(line)), detector, thresholds, lambda *_: None, int(threads)
    ))
    print(count / (time.perf_counter() - start), flush=True)
"""


def main() -> None:
    """Let loop and service take turns; then ask the service ten thousand times."""
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = Path(sys.argv[1]) if len(sys.argv) > 1 else write_model(folder / "model.onnx")
        large, small = (
            write_photo(folder / f"{size[0]}.jpg", size) for size in (PHOTO_SIZE, SMALL_SIZE)
        )
        with (folder / "log").open("wb") as log:
            service = started(model, log)
            try:
                port = port_of(service, folder / "log")
                throughput(model, large, port)
                memory(service.pid, small, port)
            finally:
                service.terminate()
                service.wait()


def write_model(path: Path) -> Path:
    """A network with fresh weights."""
    detector = Detector(
        build_network("yolox_nano", len(NAMES)).eval(), "yolox_nano", NAMES, (SIDE, SIDE)
    )
    thresholds = (0.5,) * len(NAMES)
    write_onnx(detector, Description("yolox_nano", NAMES, (SIDE, SIDE), thresholds), path)
    return path


def write_photo(path: Path, size: tuple[int, int]) -> Path:
    """A rendered room as a photo of this width and height."""
    room = cv2.resize(scene.render("0" * 16)[:, :, ::-1], size)
    cv2.imwrite(str(path), room, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return path


def started(model: Path, log: object) -> "subprocess.Popen[bytes]":
    """A service with all cores."""
    command = [sys.executable, "-m", "dminity.commands", "serve", "--port", "0"]
    return subprocess.Popen([*command, "--model", str(model)], stderr=log)  # type: ignore[call-overload, no-any-return]


def port_of(service: "subprocess.Popen[bytes]", log: Path) -> int:
    """Where it listens, once it does."""
    while service.poll() is None:
        for line in log.read_text().splitlines():
            if '"listening"' in line:
                return int(json.loads(line)["port"])
        time.sleep(0.05)
    raise RuntimeError(log.read_text())


def request_of(photo: Path) -> tuple[bytes, dict[str, str]]:
    """A form with a photo, and its headers."""
    head = '--x\r\nContent-Disposition: form-data; name="photos"; filename="a.jpg"\r\n\r\n'
    body = head.encode() + photo.read_bytes() + b"\r\n--x--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=x"}


def ask(port: int, photo: Path, go_on: Callable[[], bool]) -> list[float]:
    """What clients wait for each answer, in ms, each asking again at once."""
    waited: list[float] = []

    def client() -> None:
        body, headers = request_of(photo)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        while go_on():
            start = time.perf_counter()
            connection.request("POST", "/v1/detect", body, headers)
            answer = connection.getresponse()
            answer.read()
            waited.append(1000 * (time.perf_counter() - start))
            assert answer.status == 200, answer.status
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waited


def before(end: float) -> bool:
    """Whether it is not yet so late."""
    return time.perf_counter() < end


def throughput(model: Path, photo: Path, port: int) -> None:
    """Photos per second of the loop and of the service, in turn."""
    command = [sys.executable, "-c", LOOP, str(model), str(photo), str(cores())]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as loop:
        assert loop.stdin
        assert loop.stdout
        bare, served, waited = [], [], []
        for turn in range(TURNS + 1):
            loop.stdin.write(f"{TURN_S}\n")
            loop.stdin.flush()
            of_loop = float(loop.stdout.readline())
            start = time.perf_counter()
            times = ask(port, photo, partial(before, start + TURN_S))
            of_service = len(times) / (time.perf_counter() - start)
            # The first turn is for both to wake up.
            if turn:
                bare.append(of_loop)
                served.append(of_service)
                waited += times
    ratios = [ours / theirs for ours, theirs in zip(served, bare, strict=True)]
    show(
        ["one photo a request, 8 clients", "photos/s", "of the loop", "ms, median", "ms, 99 %"],
        [
            ["find_all", f"{median(bare):.1f}", "1.00", "", ""],
            ["service", f"{median(served):.1f}", f"{median(ratios):.2f}",
             f"{median(waited):.0f}", f"{quantiles(waited, n=100)[-1]:.0f}"],
        ],
    )  # fmt: skip


def memory(pid: int, photo: Path, port: int) -> None:
    """How much more memory the service has after each thousand requests."""
    process = psutil.Process(pid)
    sizes = []
    for _ in range(SAMPLES):
        ask(port, photo, partial(next, iter([True] * (REQUESTS // SAMPLES)), False))
        sizes.append(process.memory_info().rss / 1e6)
    # While it warms up, it grows.
    late = sizes[SAMPLES // 2 :]
    slope = np.polyfit(np.arange(len(late)) * REQUESTS / SAMPLES, late, 1)[0]
    show(
        [f"memory in {REQUESTS} requests", "MB"],
        [
            ["after the first tenth", f"{sizes[SAMPLES // 10]:.1f}"],
            ["after half", f"{sizes[SAMPLES // 2]:.1f}"],
            ["at the end", f"{sizes[-1]:.1f}"],
            ["slope of the second half, a thousand requests", f"{1000 * slope:.3f}"],
        ],
    )


def show(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    print("\n".join(["", *aligned([header, *rows], right=range(1, len(header)))]), flush=True)


if __name__ == "__main__":
    main()
