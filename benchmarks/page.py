"""The page in a browser: bytes of a first visit, seconds to its first boxes, seconds per photo.

Native is ONNX Runtime with one thread, as the page has one, and the same photos.
"""

import gzip
import tempfile
import time
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from playwright.sync_api import Browser

from benchmarks.product import NANO_SIZE, show, write_photo
from dminity.commands.site import CACHE
from dminity.core.amenities import NAMES
from dminity.detection.letterbox import letterbox
from dminity.export.int8 import quantizations
from dminity.network.detector import Detector, build_network
from dminity.runtime.detector import load_onnx
from dminity.runtime.photo import read_photo
from dminity.site.assembly import write_site
from dminity.sources.rooms import scene
from tests.helpers.browser import chromium
from tests.helpers.http_server import http_server
from tests.helpers.onnx_models import export

VISITS, PHOTOS, CALIBRATION_PHOTOS = 5, 20, 8


def main() -> None:
    """Make sites and photos, visit them, print what it takes."""
    with tempfile.TemporaryDirectory() as temporary, chromium() as browser:
        folder = Path(temporary)
        photos = [write_photo(folder / "photos" / f"{n:02}.jpg", n) for n in range(PHOTOS)]
        rows = [row(browser, folder, model, photos) for model in write_models(folder)]
    show(
        ["yolox_nano 416", "MB, gzipped", "first boxes, s", "most", "a photo, ms", "native, ms"],
        rows,
    )


def write_models(folder: Path) -> list[Path]:
    """A nano in float, and one with all that can be in integers."""
    detector = Detector(build_network("yolox_nano", len(NAMES)).eval(), "yolox_nano", NAMES,
                        NANO_SIZE)  # fmt: skip
    model = export(detector, folder / "model.onnx", threshold=0.5)
    rooms = [scene.render(f"{number:016x}")[:, :, ::-1] for number in range(CALIBRATION_PHOTOS)]
    inputs = [
        cv2.dnn.blobFromImage(letterbox(room.copy(), NANO_SIZE)).astype(np.float32)
        for room in rooms
    ]
    next(quantizations(model, folder / "model-int8.onnx", inputs))
    return [model, folder / "model-int8.onnx"]


def row(browser: Browser, folder: Path, model: Path, photos: list[Path]) -> list[str]:
    """What a model takes."""
    site = folder / f"site of {model.stem}"
    write_site(site, model, CACHE)
    files = [path for path in site.rglob("*") if path.is_file()]
    megabytes = sum(len(gzip.compress(path.read_bytes())) for path in files) / 1e6
    with http_server(site) as address:
        visits = [visited(browser, address, photos) for _ in range(VISITS)]
    first = [seconds for seconds, _ in visits]
    each = median(milliseconds for _, milliseconds in visits)
    return [
        model.stem, f"{megabytes:.2f}", f"{median(first):.2f}", f"{max(first):.2f}",
        f"{each:.0f}", f"{native(model, photos):.0f}",
    ]  # fmt: skip


def visited(browser: Browser, address: str, photos: list[Path]) -> tuple[float, float]:
    """A first visit: seconds to the first boxes, and then milliseconds for each photo."""
    context = browser.new_context()
    page = context.new_page()
    start = time.perf_counter()
    page.goto(f"{address}/")
    page.set_input_files("#choose", photos[0])
    page.wait_for_selector(".card[data-state=seen]", state="attached")
    first = time.perf_counter() - start
    start = time.perf_counter()
    page.set_input_files("#choose", photos[1:])
    page.wait_for_selector(f".card[data-state=seen] >> nth={len(photos) - 1}", state="attached")
    each = (time.perf_counter() - start) / (len(photos) - 1)
    context.close()
    return first, each * 1000


def native(model: Path, photos: list[Path]) -> float:
    """Milliseconds for each photo in Python."""
    detector = load_onnx(model, threads=1)
    times = []
    for path in photos:
        start = time.perf_counter()
        detector.find([read_photo(path.read_bytes(), detector.description.input_size).bgr])
        times.append(time.perf_counter() - start)
    return median(times) * 1000


if __name__ == "__main__":
    main()
