"""How soon a photo is looked at, and what 8 bits bring, against YOLOX's own way and Ultralytics.

    python -m benchmarks.product [PYTHON_WITH_ULTRALYTICS]

Each contender has a process of its own with two threads, and they take turns of a few photos, so
that a busy machine slows all of them alike. Trust the ratios: milliseconds are those of one machine
in one hour. yolox_nano is `models/model.pth` of this project where it is there; the others have
fresh weights, which are as fast. Ultralytics is installed apart (`pip install ultralytics onnx
onnxruntime`); without it, its row is left out.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

import cv2
import numpy as np
import torch

from benchmarks.turns import interleaved, started
from dminity.commands.text_table import aligned
from dminity.core.amenities import NAMES
from dminity.core.stage import MODEL
from dminity.export.int8 import quantizations
from dminity.export.onnx import write_onnx
from dminity.network.detector import Detector, build_network, load_detector
from dminity.runtime.detector import load_onnx
from dminity.runtime.model_file import Description
from dminity.sources.rooms import scene

THREADS = 2
PHOTOS = 500
WHOLE_PROCESSES = 7
NANO_SIZE, SMALL_SIZE = (416, 416), (640, 640)
CALIBRATION_PHOTOS = 16

OURS = """
import sys, time
from pathlib import Path
from dminity.runtime.detector import load_onnx
from dminity.runtime.photo import read_photo
model, photo, threads = sys.argv[1:]
detector = load_onnx(Path(model), int(threads))
size = detector.description.input_size
def work():
    detector.find([read_photo(Path(photo).read_bytes(), size).bgr])
"""
FORWARD = """
import sys, time
from pathlib import Path
from dminity.runtime.detector import load_onnx
from dminity.runtime.photo import read_photo
model, photo, threads = sys.argv[1:]
detector = load_onnx(Path(model), int(threads))
size = detector.description.input_size
images = detector.inputs(read_photo(Path(photo).read_bytes(), size).bgr)
def work():
    detector.session.run(None, {"images": images})
"""
LIBRARY = """
import sys, time, torch
from yolox.config import YoloxConfig
from yolox.models import Yolox, YoloxProcessor
model, photo, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
content = torch.load(model, weights_only=True)
config = YoloxConfig.get_named_config("yolox_nano")
config.num_classes = len(content["classes"])
module = config.get_model().eval()
module.load_state_dict(content["model"])
yolox = Yolox(module, YoloxProcessor(config))
def work():
    with torch.inference_mode():
        yolox([photo])
"""
ULTRALYTICS = """
import os, sys, time
from pathlib import Path
model, photo, threads = sys.argv[1:]
os.chdir(Path(model).parent)
from ultralytics import YOLO
if not Path("yolo11n.onnx").exists():
    YOLO("yolo11n.yaml").export(format="onnx", imgsz=416, verbose=False)
yolo = YOLO("yolo11n.onnx", task="detect")
def work():
    yolo.predict(photo, imgsz=416, verbose=False)
"""
FOLDER = """
import sys, time
from pathlib import Path
from dminity.runtime.detector import load_onnx
from dminity.runtime.finding import BoxThresholds, find_all
from dminity.runtime.inputs import find_inputs, pictures
model, folder, threads = sys.argv[1:]
inputs = find_inputs([folder])
alone, shared = load_onnx(Path(model), int(threads)), load_onnx(Path(model), 1)
thresholds = BoxThresholds(alone.description.thresholds)
def seconds(chosen, detector, threads):
    start = time.perf_counter()
    for _ in find_all(pictures(chosen, 1.0), detector, thresholds, lambda *_: None, threads):
        pass
    return time.perf_counter() - start
for some in [inputs[:50]] + [inputs[start : start + 50] for start in range(0, len(inputs), 50)]:
    print(
        seconds(some, shared, 1), seconds(some, alone, 1), seconds(some, shared, int(threads)),
        flush=True,
    )
"""
PARTS = """
import sys, time
from pathlib import Path
from dminity.runtime.detector import load_onnx
from dminity.runtime.nms import to_detections
from dminity.runtime.photo import read_photo
model, photo, threads = sys.argv[1:]
detector = load_onnx(Path(model), int(threads))
size = detector.description.input_size
for _ in range(50):
    times = [time.perf_counter()]
    read = read_photo(Path(photo).read_bytes(), size)
    times.append(time.perf_counter())
    images = detector.inputs(read.bgr)
    times.append(time.perf_counter())
    (predictions,) = detector.session.run(None, {"images": images})
    times.append(time.perf_counter())
    to_detections(predictions[0], detector.description.classes, read.bgr.shape[:2], size)
    times.append(time.perf_counter())
    print(*(1000 * (b - a) for a, b in zip(times, times[1:])), flush=True)
"""


def main() -> None:
    """Make models and photos, let the contenders take turns, print ratios."""
    os.environ |= {"OMP_NUM_THREADS": str(THREADS), "YOLO_OFFLINE": "true"}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        photo = write_photo(folder / "room.jpg", 0)
        models = write_models(folder)
        whole_process(models["yolox_nano"], photo)
        parts(models["yolox_nano"], photo)
        end_to_end(models, photo, folder)
        many(models["yolox_nano"], folder)
        integers(models, photo)


def write_photo(path: Path, number: int) -> Path:
    """A rendered room as a photo of a phone: 1600 pixels wide."""
    room = cv2.resize(scene.render(f"{number:016x}")[:, :, ::-1], (1600, 1066))
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), room, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return path


def write_models(folder: Path) -> dict[str, Path]:
    """Models by name; each with `-int8` too, all that can be in integers."""
    models = {}
    for variant, size in (
        ("yolox_nano", NANO_SIZE), ("yolox_tiny", NANO_SIZE), ("yolox_s", SMALL_SIZE),
    ):  # fmt: skip
        detector = Detector(build_network(variant, len(NAMES)).eval(), variant, NAMES, size)
        if variant == "yolox_nano" and MODEL.exists():
            trained = load_detector(MODEL)
            if trained.variant == variant:
                detector = Detector(trained.network, variant, trained.classes, size)
        description = Description(variant, detector.classes, size, (0.5,) * len(detector.classes))
        models[variant] = folder / f"{variant}.onnx"
        write_onnx(detector, description, models[variant])
        models[f"{variant}-int8"] = folder / f"{variant}-int8.onnx"
        exported = load_onnx(models[variant])
        rooms = [scene.render(f"{number:016x}")[:, :, ::-1] for number in range(CALIBRATION_PHOTOS)]
        inputs = [exported.inputs(np.ascontiguousarray(room)) for room in rooms]
        next(quantizations(models[variant], models[f"{variant}-int8"], inputs))
        torch.save(
            {"model": detector.network.state_dict(), "classes": list(detector.classes)},
            folder / f"{variant}.pth",
        )
    return models


def show(header: list[str], rows: list[list[str]]) -> None:
    """Print a table."""
    print("\n".join(["", *aligned([header, *rows], right=range(1, len(header)))]), flush=True)


def row(name: str, times: list[float], first: list[float]) -> list[str]:
    """Median, 95th percentile, and how many times as long as the first contender."""
    ratio = median(b / a for a, b in zip(first, times, strict=True))
    return [name, f"{median(times):.1f}", f"{quantiles(times, n=20)[-1]:.1f}", f"{ratio:.2f}"]


def whole_process(model: Path, photo: Path) -> None:
    """`dminity predict` of one photo, from its start to its end."""
    command = [sys.executable, "-m", "dminity.commands", "predict", str(photo)]
    command += ["--model", str(model), "--threads", str(THREADS), "--json"]
    times = []
    for _ in range(WHOLE_PROCESSES):
        start = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        times.append(time.perf_counter() - start)
        json.loads(done.stdout)
    show(
        ["dminity predict ONE.jpg", "s, median", "s, most"],
        [["yolox_nano 416", f"{median(times):.2f}", f"{max(times):.2f}"]],
    )


def output_of(program: str, *arguments: object) -> list[list[float]]:
    """The numbers that a program prints, line by line, but for the first one."""
    command = [sys.executable, "-c", program, *map(str, arguments), str(THREADS)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [[float(word) for word in line.split()] for line in done.stdout.splitlines()][1:]


def parts(model: Path, photo: Path) -> None:
    """Where the time of a photo goes."""
    steps = ("decode", "letterbox", "forward", "suppression")
    times = [median(column) for column in zip(*output_of(PARTS, model, photo), strict=True)]
    forward = times[steps.index("forward")]
    show(
        ["step, yolox_nano 416", "ms", "of forward"],
        [
            [step, f"{taken:.2f}", f"{taken / forward:.2f}"]
            for step, taken in zip(steps, times, strict=True)
        ],
    )


def end_to_end(models: dict[str, Path], photo: Path, folder: Path) -> None:
    """Decode, letterbox, forward, suppression, against others."""
    contenders = {
        "dminity": started(sys.executable, OURS, models["yolox_nano"], photo, THREADS),
        "Yolox.__call__": started(
            sys.executable, LIBRARY, folder / "yolox_nano.pth", photo, THREADS
        ),
    }
    if len(sys.argv) > 1:
        python = sys.argv[1]
        contenders["Ultralytics YOLO11n"] = started(
            python, ULTRALYTICS, folder / "x", photo, THREADS
        )
    else:
        print("Ultralytics is left out: give the Python that has it")
    times = interleaved(contenders)
    show(
        ["one photo, 416", "ms, median", "ms, 95 %", "times dminity"],
        [row(name, found, times["dminity"]) for name, found in times.items()],
    )


def many(model: Path, folder: Path) -> None:
    """A folder of photos, at once against one by one, by a network of one thread or of two."""
    rooms = folder / "rooms"
    contents = [write_photo(folder / "room.jpg", number).read_bytes() for number in range(20)]
    rooms.mkdir()
    for number in range(PHOTOS):
        (rooms / f"{number:03}.jpg").write_bytes(contents[number % len(contents)])
    times = output_of(FOLDER, model, rooms)
    rows = []
    for position, name in enumerate(("one thread", f"{THREADS} threads")):
        ratios = [taken[position] / taken[-1] for taken in times]
        rows.append(
            [name, *(f"{ratio:.2f}" for ratio in (median(ratios), min(ratios), max(ratios)))]
        )
    show([f"{PHOTOS} photos: one by one / at once", "median", "least", "most"], rows)


def integers(models: dict[str, Path], photo: Path) -> None:
    """Forward in 8 bits against float."""
    rows = []
    for variant in ("yolox_nano", "yolox_tiny", "yolox_s"):
        names = (variant, f"{variant}-int8")
        times = interleaved(
            {name: started(sys.executable, FORWARD, models[name], photo, THREADS) for name in names}
        )
        sizes = [models[name].stat().st_size / 1e6 for name in names]
        ratio = median(a / b for a, b in zip(times[names[0]], times[names[1]], strict=True))
        rows.append(
            [variant, *(f"{median(times[name]):.1f}" for name in names), f"{ratio:.2f}",
             *(f"{size:.2f}" for size in sizes), f"{sizes[1] / sizes[0]:.2f}"]
        )  # fmt: skip
    show(
        ["forward", "float, ms", "int8, ms", "times as fast", "MB", "int8, MB", "of the size"],
        rows,
    )


if __name__ == "__main__":
    main()
