"""What the DVC stages share: where results lie, and how a stage ends."""

import errno
import sys
from collections.abc import Callable
from pathlib import Path

from dminity.core.errors import DminityError

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
# The disk's, not ours: full, over a quota, too large a file for it, read-only.
DISK_REFUSES = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def run(stage: Callable[[], None]) -> None:
    """Run a stage's `main`; what the user can mend is one line on stderr and exit code 1."""
    try:
        stage()
    except DminityError as error:
        # On a line of its own: a progress bar may have left the cursor at the end of one.
        sys.exit(f"\nerror: {error}")
    except OSError as error:
        if error.errno not in DISK_REFUSES:
            raise
        sys.exit(f"\nerror: {error.strerror}; make room and run it again, what is finished is kept")
