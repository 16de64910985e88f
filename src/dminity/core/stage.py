"""What the DVC stages share: where results lie, and how a stage starts."""

import gc
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from dminity.core import ending
from dminity.core.errors import DminityError

DATA = Path("data")
INDEX = Path("data/index")
PICKED = Path("data/picked")
RAW = Path("data/raw")
MERGED = Path("data/merged")
VOC = Path("data/voc")
MODEL = Path("models/model.pth")
ONNX = Path("models/model.onnx")
ONNX_NMS = Path("models/model-nms.onnx")
ONNX_INT8 = Path("models/model-int8.onnx")
# What trainings have done so far that were interrupted, in a folder each.
UNFINISHED = Path("models/unfinished")
METRICS = Path("metrics")
# Those that hold outputs of dvc.yaml, and are none.
FOLDERS_OF_RESULTS = (
    INDEX, RAW, VOC, MODEL.parent, METRICS, METRICS / "plots", METRICS / "train",
)  # fmt: skip


class LinkedOut(DminityError):
    """A folder of outputs is a link to a place that DVC does not follow it to."""


def run(stage: Callable[[], None]) -> None:
    """Run a stage's `main`; whatever ends it is one line on stderr.

    Raises:
        LinkedOut: if DVC, which started it, would refuse where its results lie.
    """
    ending.install()
    # Garbage is not looked for among what has been imported, here and in processes that it forks.
    gc.freeze()
    gc.enable()
    if root := os.environ.get("DVC_ROOT"):
        refuse_links_out_of(Path(root), FOLDERS_OF_RESULTS)
    stage()
    # Libraries that count at the end what has not been freed would complain of all that is frozen.
    gc.unfreeze()
    ending.finished()


def refuse_links_out_of(root: Path, folders: Iterable[Path]) -> None:
    """Refuse folders of outputs that lie in `root` only by a link to another place.

    DVC would refuse such outputs when their stage has done its work. An output may be a link.

    Args:
        root: the repository.
        folders: those in which outputs lie, relative to it; they need not be there.

    Raises:
        LinkedOut: naming the link.
    """
    for folder in folders:
        for part in (folder, *folder.parents):
            link = root / part
            if link.is_symlink() and not link.resolve().is_relative_to(root.resolve()):
                raise LinkedOut(
                    f"{part} is a link out of the repository, where DVC records nothing; make it "
                    "a folder, and keep its files on another disk by `dvc cache dir --local` and "
                    "`dvc config --local cache.type symlink`"
                )
