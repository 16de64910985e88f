"""The folder of the page: all that a browser needs, whole or not at all."""

import gzip
import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path

from dminity.core.errors import DminityError
from dminity.core.files import replacing_folder
from dminity.detection.kinds import is_kind_of, said_together
from dminity.runtime.detector import RAW_OUTPUTS, load_onnx
from dminity.runtime.model_file import Description
from dminity.site.demo_rooms import write_rooms
from dminity.site.offline import SERVICE_WORKER, write_list_of_files
from dminity.site.onnxruntime_web import MODULE, WASM, fetched

STATIC = Path(__file__).with_name("static")
DESCRIPTION = "model.json"
# By these a folder is known as one of ours, which may be replaced.
MARKS = (SERVICE_WORKER, DESCRIPTION)


class NoSite(DminityError):
    """A folder for the page cannot be made of what was named."""


def write_site(folder: Path, model: Path, cache: Path) -> int:
    """Write the page's folder; its size in bytes.

    Args:
        folder: a new or empty one, or an older one of the page, which is replaced.
        model: an exported network, without non-maximum suppression inside.
        cache: where ONNX Runtime Web is kept between two builds.

    Raises:
        NoSite: if the folder holds something else, or the model is missing or none for the page.
        BadOnnxFile: if the model is damaged.
        NotFetched: if ONNX Runtime Web cannot be had.
    """
    _check_is_ours(folder)
    description = _description(model)
    runtime = fetched(cache)
    with replacing_folder(folder) as unfinished:
        shutil.copytree(STATIC, unfinished, dirs_exist_ok=True)
        _write_runtime(runtime, unfinished / "onnxruntime")
        _write_model(model, description, unfinished)
        write_rooms(unfinished / "rooms")
        write_list_of_files(unfinished)
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _check_is_ours(folder: Path) -> None:
    """Refuse to replace a folder that holds something else.

    Raises:
        NoSite: then.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not all((folder / mark).is_file() for mark in MARKS):
        raise NoSite(f"{folder} holds other files, which would be lost; name a new folder")


def _description(model: Path) -> Description:
    """What a model says of itself.

    Raises:
        NoSite: if it is missing, or gives final boxes.
    """
    if not model.exists():
        raise NoSite(
            f"{model}: no such file; get it by `dvc pull {model}` or `dvc repro export`, or name "
            "another by --model"
        )
    detector = load_onnx(model, threads=1)
    if detector.names() != RAW_OUTPUTS:
        raise NoSite(
            f"{model} has non-maximum suppression inside, which the page does itself; take "
            "model-int8.onnx or model.onnx"
        )
    return detector.description


def _write_model(model: Path, description: Description, folder: Path) -> None:
    """Write a network, and what it says of itself.

    Its name has its checksum: a page of one version never gets the network of another.
    """
    content = model.read_bytes()
    name = f"model-{hashlib.sha256(content).hexdigest()[:12]}.onnx"
    (folder / name).write_bytes(content)
    together, kinds = said_together(description.classes), is_kind_of(description.classes).T
    said = asdict(description) | {
        "file": name,
        # For each class the positions of others, as the page knows no names.
        "together": [row.nonzero()[0].tolist() for row in together],
        "kinds": [row.nonzero()[0].tolist() for row in kinds],
    }
    (folder / DESCRIPTION).write_text(json.dumps(said, indent=2) + "\n")


def _write_runtime(runtime: Path, folder: Path) -> None:
    """Write ONNX Runtime Web, compressed: not every host of static files does that itself.

    Not as `.gz`, which some hosts have the browser unpack: its checksum is that of the packed file.
    """
    folder.mkdir()
    # Browsers want scripts to be called scripts, and older servers do not know .mjs.
    shutil.copyfile(runtime / MODULE, (folder / MODULE).with_suffix(".js"))
    # The same bytes give the same file: no time in it.
    packed = gzip.compress((runtime / WASM).read_bytes(), mtime=0)
    (folder / f"{WASM}.packed").write_bytes(packed)
