"""What the DVC stages share: where results lie, and how a stage starts."""

from collections.abc import Callable
from pathlib import Path

from dminity.core import ending

DATA = Path("data")
INDEX = Path("data/index")
PICKED = Path("data/picked")
RAW = Path("data/raw")
MERGED = Path("data/merged")
VOC = Path("data/voc")
MODEL = Path("models/model.pth")
ONNX = Path("models/model.onnx")
# What trainings have done so far that were interrupted, in a folder each.
UNFINISHED = Path("models/unfinished")
METRICS = Path("metrics")


def run(stage: Callable[[], None]) -> None:
    """Run a stage's `main`; whatever ends it is one line on stderr."""
    ending.install()
    stage()
    ending.finished()
