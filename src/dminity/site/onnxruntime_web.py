"""ONNX Runtime Web: fetched by npm in the version that package-lock.json pins by its checksum."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from dminity.core.errors import DminityError
from dminity.core.files import exclusive, replacing_folder
from dminity.core.progress import waiting_for

PACKAGE = Path(__file__).with_name("package.json")
LOCK = Path(__file__).with_name("package-lock.json")
# The build for processors, with its loader inside, and what it loads.
MODULE, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
# Nothing of a package is run, and nobody is told that it is installed.
NPM = ("npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund",
       "--no-update-notifier")  # fmt: skip
PATIENCE_S = 600.0


class NotFetched(DminityError):
    """ONNX Runtime Web cannot be had."""


def fetched(cache: Path) -> Path:
    """The folder with MODULE and WASM, fetched unless it is there.

    Args:
        cache: where it is kept, in a folder for each version.

    Raises:
        NotFetched: if npm is missing or fails.
    """
    place = cache / f"onnxruntime-web-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]}"
    with exclusive(place, patience_s=PATIENCE_S):
        if not place.exists():
            _fetch(place)
    return place


def _fetch(place: Path) -> None:
    """Install the package elsewhere, and take the two files of its 130 MB that are needed."""
    with tempfile.TemporaryDirectory() as temporary, replacing_folder(place) as unfinished:
        work = Path(temporary)
        for path in (PACKAGE, LOCK):
            shutil.copyfile(path, work / path.name)
        _run_npm(work)
        for name in (MODULE, WASM):
            shutil.copyfile(work / "node_modules/onnxruntime-web/dist" / name, unfinished / name)


def _run_npm(folder: Path) -> None:
    """Install what the folder's lock file names into it.

    Raises:
        NotFetched: if npm is missing or fails.
    """
    if not (npm := shutil.which(NPM[0])):
        raise NotFetched(
            "npm is missing, by which ONNX Runtime Web is fetched: install Node.js, for instance "
            "by `apt-get install npm`"
        )
    with waiting_for("npm, which fetches ONNX Runtime Web"):
        done = subprocess.run(  # noqa: S603
            [npm, *NPM[1:]], cwd=folder, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise NotFetched(
            f"npm could not fetch ONNX Runtime Web ({_reason(done.stderr)}); see to it that npm "
            "reaches its registry, and run this again"
        )


def _reason(said: str) -> str:
    r"""What npm says went wrong, in a line.

    >>> _reason("npm error code ECONNREFUSED\nnpm error network request failed\nnpm error more")
    'code ECONNREFUSED, network request failed'
    """
    lines = [line.removeprefix("npm error ").strip() for line in said.splitlines()]
    return ", ".join([line for line in lines if line][:2]) or "it says nothing"
