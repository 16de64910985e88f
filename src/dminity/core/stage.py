"""What the DVC stages share: where results lie, and how a stage starts."""

import os
from collections.abc import Callable
from pathlib import Path

from dminity.core import ending
from dminity.core.files import refuse_links_out_of

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
# Those that hold outputs of dvc.yaml, and are none.
FOLDERS_OF_RESULTS = (
    INDEX, RAW, VOC, MODEL.parent, METRICS, METRICS / "plots", METRICS / "train",
)  # fmt: skip


def run(stage: Callable[[], None]) -> None:
    """Run a stage's `main`; whatever ends it is one line on stderr.

    Raises:
        LinkedOut: if DVC, which started it, would refuse where its results lie.
    """
    ending.install()
    if root := os.environ.get("DVC_ROOT"):
        refuse_links_out_of(Path(root), FOLDERS_OF_RESULTS)
    stage()
    ending.finished()
