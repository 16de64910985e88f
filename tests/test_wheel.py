"""`pip install dminity`: the wheel in a bare environment predicts, with little else installed."""

import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from dminity.runtime.detector import load_onnx
from dminity.runtime.photo import read_photo
from dminity.sources.rooms import scene
from tests.helpers.browser import NPM
from tests.helpers.detectors import random_detector
from tests.helpers.installs import LOCK, build_wheel, install, run
from tests.helpers.onnx_models import export

pytestmark = pytest.mark.slow

# Whatever is added here, every user installs.
INSTALLED = {
    "dminity",
    "filelock",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "tqdm",
}
WITH_ONNX_RUNTIME = {"flatbuffers", "packaging", "protobuf"}
LIST = "from importlib.metadata import distributions\nprint(*(d.name for d in distributions()))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel, in the versions of the lock file."""
    return install(tmp_path_factory.mktemp("bare"), wheel, "--constraint", LOCK)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported network that finds something in any photo."""
    return export(random_detector(seed=0), tmp_path_factory.mktemp("model") / "model.onnx", 0.0)


def test_the_wheel_holds_the_package_only(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    (info,) = tops - {"dminity"}
    assert info.endswith(".dist-info")


def test_little_is_installed(programs: Path, tmp_path: Path) -> None:
    installed = set(run(tmp_path, programs / "python", "-c", LIST).split())
    assert installed == INSTALLED | WITH_ONNX_RUNTIME


def test_it_predicts(programs: Path, model: Path, tmp_path: Path) -> None:
    room = tmp_path / "room.jpg"
    Image.fromarray(scene.render("0" * 16)).save(room)
    detector = load_onnx(model)
    photo = read_photo(room.read_bytes(), detector.description.input_size)
    (found,) = detector.find([photo.bgr])
    names = [detector.description.classes[number] for number in found.class_ids]
    assert set(names) == set(detector.description.classes)
    # All that is found, whatever its score.
    command = (
        programs / "dminity",
        "predict",
        room,
        "--model",
        model,
        "--min-score",
        "0",
        "--json",
    )
    (seen,) = json.loads(run(tmp_path, *command))["photos"]
    assert [detection["class"] for detection in seen["detections"]] == names


@pytest.mark.skipif(NPM is None, reason="there is no npm: apt-get install npm")
def test_it_makes_the_page(programs: Path, model: Path, tmp_path: Path) -> None:
    said = run(tmp_path, programs / "dminity", "site", "out", "--model", model)
    assert said.startswith("out: ")
    assert (tmp_path / "out/index.html").is_file()
    assert (tmp_path / "out/rooms/kitchen.jpg").is_file()


def test_help_is_there(programs: Path, tmp_path: Path) -> None:
    assert "usage: dminity" in run(tmp_path, programs / "dminity", "--help")


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (["dminity", "view"], "dminity view needs FiftyOne: pip install 'dminity[view]'"),
        (["dminity", "serve"], "dminity serve needs more: pip install 'dminity[serve]'"),
        (["dminity", "check"], "pandas is not installed: pip install 'dminity[train]'"),
        (
            ["python", "-m", "dminity.stages.train"],
            "torch is not installed: pip install 'dminity[train]'",
        ),
    ],
    ids=["view", "serve", "check", "a stage"],
)
def test_what_needs_more_says_what_brings_it(
    programs: Path, command: list[str], line: str, tmp_path: Path
) -> None:
    program, *arguments = command
    said = run(tmp_path, programs / program, *arguments, fails=True)
    assert said.strip().startswith(f"error: {line}")
    assert "\n" not in said.strip()
