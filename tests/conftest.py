"""Parts that many tests share. Every server is on loopback and every folder is temporary."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from dvc.repo import Repo
from filelock import FileLock
from hypothesis import HealthCheck, settings

from dminity.core.amenities import NAMES
from dminity.network.detector import load_detector, save_detector
from tests.helpers.browser import NPM
from tests.helpers.experiments import make_experiments
from tests.helpers.mirror import make_mirror
from tests.helpers.onnx_models import export
from tests.helpers.processes import end_all
from tests.helpers.project import DATA_STAGES, MODEL_STAGES, TINY, Project, stages_run
from tests.helpers.room_folder import make_room_folder
from tests.helpers.s3_server import S3Server, s3_server
from tests.helpers.training_runs import run

# On a busy machine an example may take any time.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
# A shell that starts tests in the background has them ignore Ctrl-C; what they start would, too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# These make what others need, or take longest. Begun first, and at once, no process waits for
# another one at the beginning, or is alone at the end.
FIRST = ("tests/test_pipeline.py", "tests/export/test_formats.py", "tests/test_readme.py")


def pytest_configure(config: pytest.Config) -> None:
    """Let DVC ask a library in a way that it will not have for ever."""
    config.addinivalue_line("filterwarnings", "ignore:_NoneStep:DeprecationWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of FIRST first."""
    order = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: order.get(item.nodeid.partition("::")[0], len(order)))


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """End what a test started and did not end, as one that failed."""
    yield
    end_all()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A running S3 server."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def made_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror of Open Images with rendered rooms for photos; to be read only."""
    return made_once(tmp_path_factory, "mirror", make_mirror)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A detector that knows eight rooms by heart, and the rows of its training; to be read only.

    It takes a minute to make: the processes that run tests share it.
    """
    folder = made_once(tmp_path_factory, "trained", train_by_heart)
    return folder / "model.pth", folder / "run" / "live"


@pytest.fixture(scope="session")
def exported(trained: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That detector as ONNX, with a threshold of 0.3 for all classes; to be read only."""
    folder = made_once(
        tmp_path_factory,
        "exported",
        lambda folder: export(load_detector(trained[0]), folder / "model.onnx", threshold=0.3),
    )
    return folder / "model.onnx"


def made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]
) -> Path:
    """A folder that one of the processes that run tests makes, and all of them read."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    with FileLock(place / f"{name}.lock"):
        if not (place / f"{name}.made").exists():
            (place / name).mkdir()
            make(place / name)
            (place / f"{name}.made").touch()
    return place / name


def train_by_heart(folder: Path) -> None:
    """Train a detector on eight rooms until it knows them."""
    rooms = make_room_folder(folder / "voc", {"train": 8, "validation": 8})
    lists = rooms / "ImageSets" / "Main"
    ids = (lists / "train.txt").read_text()
    (lists / "val.txt").write_text(ids)
    # Ten steps an epoch: fewer validations.
    (lists / "train.txt").write_text("\n".join([ids] * 10))
    # Away from this repository, which DVCLive would take for the one of the run.
    with chdir(folder):
        weights = run(
            rooms,
            folder / "run",
            input_size=128,
            epochs=40,
            batch_size=8,
            lr=0.1,
            weight_decay=0.0,
            hsv=0.0,
            flip=0.0,
            cache_gb=1.0,
        )
    save_detector(weights, "yolox_nano", NAMES, (128, 128), folder / "model.pth")


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A project in which the pipeline has run once, its results committed, and what it printed.

    It takes most of a minute to run: each process that runs tests has a copy of its own.
    """
    ran = made_once(tmp_path_factory, "first_run", run_once)
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ran / "project", folder, symlinks=True, dirs_exist_ok=True)
    return Project(folder), (ran / "output").read_text()


def run_once(folder: Path) -> None:
    """Run the pipeline for the first time in a copy of this project."""
    (folder / "project").mkdir()
    project = Project.copy(folder / "project")
    project.set_params(TINY)
    output = project.run("dvc", "repro")
    assert stages_run(output) == {*DATA_STAGES, *MODEL_STAGES}
    project.commit("Results")
    (folder / "output").write_text(output)


@pytest.fixture(scope="session")
def ran(first_run: tuple[Project, str]) -> Project:
    """That project."""
    return first_run[0]


@pytest.fixture(scope="session")
def experimented(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Another copy of it, with experiments, all made here; to be read only."""

    def make(folder: Path) -> None:
        ran = made_once(tmp_path_factory, "first_run", run_once)
        shutil.copytree(ran / "project", folder, symlinks=True, dirs_exist_ok=True)
        make_experiments(Project(folder))

    return Project(made_once(tmp_path_factory, "experimented", make))


@pytest.fixture
def project(ran: Project) -> Iterator[Project]:
    """The same, put back afterwards to what was committed, without experiments."""
    yield ran
    ran.run("git", "checkout", "--quiet", ".")
    for ref in ran.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").split():
        ran.run("git", "update-ref", "-d", ref)
    # In this process: as a program, DVC takes three times as long, most of it to begin.
    with Repo(str(ran.folder)) as repo:
        repo.checkout(force=True)
    (ran.folder / ".dvc/config.local").unlink(missing_ok=True)


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program that finds what keeps people out of a page."""
    if NPM is None:
        pytest.skip("there is no npm, which fetches axe-core: apt-get install npm")

    def make(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(Path(__file__).parent / "site" / name, folder / name)
        command = [str(NPM), "ci", "--ignore-scripts", "--prefer-offline", "--no-audit"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    folder = made_once(tmp_path_factory, "axe", make)
    return (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
