"""What the path from a photo to detections imports: what a home's photos can be looked at with."""

import sys

from tests.helpers import processes
from tests.helpers.project import ROOT, environment

# Each is hundreds of megabytes, or takes a second to import.
LEFT_OUT = {
    "torch",
    "pandas",
    "pydantic",
    "yolox",
    "lightning",
    "dvc",
    "fiftyone",
    "psutil",
    "onnx",
}


def test_detectors_and_photos_need_nothing_heavy() -> None:
    code = "import sys, dminity.runtime.detector, dminity.runtime.photo\nprint(*sys.modules)"
    surroundings = environment() | {"PYTHONPATH": str(ROOT / "src")}
    done = processes.run([sys.executable, "-c", code], environment=surroundings)
    assert done.returncode == 0, done.stderr
    assert {"onnxruntime", "cv2"} <= set(done.stdout.split())
    assert not LEFT_OUT & set(done.stdout.split())
