"""What `pip install dminity` puts on a disk, and how soon it answers, against Ultralytics.

    python -m benchmarks.install_size
    UV_FIND_LINKS=<folder of wheels> python -m benchmarks.install_size 'torch==2.13.0+cpu'

Each is installed by uv into an environment of its own, in the newest versions, not compiled ahead;
what follows on the command line is asked for with Ultralytics. Both start once before they are
timed, and take turns.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.helpers.installs import build_wheel, install, run

ROUNDS = 5
LIST = """
from importlib.metadata import distributions
print(*(f"{found.name}=={found.version}" for found in distributions()))
"""
OURS, PEER = "dminity", "Ultralytics"
HELP = {OURS: ["dminity", "--help"], PEER: ["yolo", "help"]}
IMPORT = {
    OURS: ["python", "-c", "import dminity.runtime.detector, dminity.runtime.photo"],
    PEER: ["python", "-c", "from ultralytics import YOLO"],
}


def main() -> None:
    """Install both, print a table."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ |= {"YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": temporary}
        for name in ("wheel", OURS, PEER):
            (folder / name).mkdir()
        programs = {OURS: install(folder / OURS, build_wheel(folder / "wheel"))}
        try:
            programs[PEER] = install(folder / PEER, "ultralytics", *sys.argv[1:])
        except AssertionError as error:
            print(f"{PEER} is skipped: {' '.join(str(error).split())}")
        columns: list[dict[str, float]] = [
            {name: megabytes(place) for name, place in programs.items()},
            {name: len(packages(place)) for name, place in programs.items()},
            timed(programs, HELP),
            timed(programs, IMPORT),
        ]
        print(f"{'':22}{'MB':>10}{'packages':>10}{'help, s':>10}{'import, s':>10}")
        for name, place in programs.items():
            torch = [package for package in packages(place) if package.startswith("torch==")]
            print(row(name, [column[name] for column in columns]), *torch)
        if PEER in programs:
            ratios = [column[PEER] / column[OURS] for column in columns]
            print(row(f"{PEER} / {OURS}", ratios))


def row(name: str, figures: list[float]) -> str:
    """A row of the table."""
    return f"{name:22}" + "".join(f"{figure:10.2f}" for figure in figures)


def megabytes(programs: Path) -> float:
    """What an environment takes of a disk."""
    files = [path.lstat() for path in programs.parent.rglob("*")]
    return sum(file.st_blocks * 512 for file in files) / 1e6


def packages(programs: Path) -> list[str]:
    """The packages of an environment, with their versions."""
    return run(programs.parent, programs / "python", "-c", LIST).split()


def timed(programs: dict[str, Path], commands: dict[str, list[str]]) -> dict[str, float]:
    """Seconds that each one's command takes: the median; they take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(1 + ROUNDS):
        for name, place in programs.items():
            program, *arguments = commands[name]
            start = time.perf_counter()
            run(place.parent, place / program, *arguments)
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in seconds.items()}


if __name__ == "__main__":
    main()
