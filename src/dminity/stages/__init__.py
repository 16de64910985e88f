"""The DVC stages: the only readers of params.yaml, the only writers of data, models and metrics."""

import sys
from collections.abc import Callable
from pathlib import Path

from dminity.errors import DminityError

INDEX = Path("data/index")
RAW = Path("data/raw")
MERGED = Path("data/merged")
VOC = Path("data/voc")
MODEL = Path("models/model.pth")
ONNX = Path("models/model.onnx")
# What trainings have done so far that were interrupted, in a folder each.
UNFINISHED = Path("models/unfinished")
METRICS = Path("metrics")


def run(stage: Callable[[], None]) -> None:
    """Run a stage's `main`; what the user can mend is one line on stderr and exit code 1."""
    try:
        stage()
    except DminityError as error:
        # On a line of its own: a progress bar may have left the cursor at the end of one.
        sys.exit(f"\nerror: {error}")
