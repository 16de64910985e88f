"""Finding 30 classes among 14.6 million boxes: seconds and memory of ours, FiftyOne's way and grep.

    make benchmarks

Each contender is a process of its own on the same file, which is in the page cache, and they take
turns. Ours is what the stage `index` does with the file of a split: search, checksum, parse; the
time within the process leaves out Python's start and imports. FiftyOne's is one of its parses,
of which a download with `classes` makes two per bucket.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from dminity.core.amenities import NAME_OF_CODE

ROUNDS = 5
FIFTYONE_ROUNDS = 2
NAME = "labels/detections.csv"
ENVIRONMENT = os.environ | {
    "LC_ALL": "C",
    "PYTHONPATH": os.pathsep.join(sys.path),
}
WRITE = """
import sys
from pathlib import Path
from benchmarks.published_csv import write_published_csv
write_published_csv(Path(sys.argv[1]))
"""
OURS = """
import sys, time
from pathlib import Path
from dminity.core.amenities import NAME_OF_CODE
from dminity.remote.reading import open_folder
from dminity.sources.openimages import BOX_COLUMNS, parse
from dminity.sources.sieve import sift
from dminity.core.memory import keep_freed_memory
start = time.perf_counter()
keep_freed_memory()
folder, name, kept = sys.argv[1:]
Path(kept).unlink(missing_ok=True)
Path(kept + ".note").unlink(missing_ok=True)
sift(open_folder(folder), name, list(NAME_OF_CODE), Path(kept))
rows = parse(Path(kept), list(BOX_COLUMNS))
rows = rows[rows["LabelName"].isin(NAME_OF_CODE)]
print(len(rows), time.perf_counter() - start)
"""
FIFTYONE = """
import sys, time
from dminity.core.amenities import NAME_OF_CODE
import fiftyone.utils.openimages as openimages
from benchmarks.published_csv import PHOTOS, image_id
ids = [image_id(photo) for photo in range(PHOTOS)]
start = time.perf_counter()
codes = list(NAME_OF_CODE)
_, _, data, _ = openimages._get_label_data(
    sys.argv[1], ids, "detections", classes=codes, oi_classes=codes, track_all_ids=False,
    only_matching=True, download=False,
)
print(len(data["df"]), time.perf_counter() - start)
"""


def main() -> None:
    """Make the file, let the contenders take turns, print a table."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path = folder / NAME
        path.parent.mkdir()
        # Elsewhere: a contender begins as a copy of this process, and would be as large.
        subprocess.run([sys.executable, "-c", WRITE, path], env=ENVIRONMENT, check=True)
        print(f"{path.stat().st_size:,} bytes\n")
        codes = folder / "codes"
        codes.write_text("".join(f"{code}\n" for code in NAME_OF_CODE))
        contenders = {
            "grep": (["grep", "-F", "-f", str(codes), str(path)], ROUNDS),
            "dminity": ([sys.executable, "-c", OURS, temporary, NAME, f"{folder}/kept"], ROUNDS),
            "FiftyOne": ([sys.executable, "-c", FIFTYONE, temporary], FIFTYONE_ROUNDS),
        }
        compare(contenders, folder / "output")


def compare(contenders: dict[str, tuple[list[str], int]], output: Path) -> None:
    """Medians over the rounds, and against ours."""
    measured: dict[str, list[tuple[float, float, float]]] = {name: [] for name in contenders}
    for turn in range(ROUNDS):
        for name, (command, rounds) in contenders.items():
            if turn < rounds:
                measured[name].append(measure(command, output))
    print(f"{'':12}{'process s':>11}{'work s':>9}{'peak MB':>9}{'x dminity (process, work)':>28}")
    ours = [median(values) for values in zip(*measured["dminity"], strict=True)]
    for name, runs in measured.items():
        process, work, peak = (median(values) for values in zip(*runs, strict=True))
        ratios = f"{process / ours[0]:.2f}, {work / ours[1]:.2f}"
        print(f"{name:12}{process:11.2f}{work:9.2f}{peak:9.0f}{ratios:>28}")


def measure(command: list[str], output: Path) -> tuple[float, float, float]:
    """Seconds of the process, seconds that it says of its work, and its peak memory in MB."""
    start = time.perf_counter()
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"{command[:2]} ended with status {status}")
    words = output.read_bytes()[:100].split()
    work = float(words[1]) if len(words) == 2 else seconds
    return seconds, work, usage.ru_maxrss / 1e3


if __name__ == "__main__":
    main()
