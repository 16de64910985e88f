"""The data in FiftyOne, with its real database."""

import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image

from dminity.core.files import exclusive
from dminity.data import voc
from tests.helpers import processes
from tests.helpers.project import environment

pytestmark = pytest.mark.slow

# In a process of its own: FiftyOne starts a database server and imports half the world.
LOAD = """
import sys
from pathlib import Path
import torch
from dminity.network.detector import Detector, build_network
from dminity.commands.database import run_database
from dminity.commands.fiftyone_dataset import build_dataset

torch.manual_seed(0)
network = build_network("yolox_nano", 2).eval()
for layer in [*network.head.obj_preds, *network.head.cls_preds]:
    torch.nn.init.constant_(layer.bias, 2.0)  # sure of everything, everywhere
detector = Detector(network, "yolox_nano", ("Bed", "Kitchen & dining room table"), (64, 64))
run_database()
dataset = build_dataset(Path("data/voc"), "test", detector)
print(len(dataset), dataset.count("ground_truth.detections"))
print(sorted(dataset.count_values("ground_truth.detections.label").items()))
print(dataset.count("predictions.detections") > 0)
print(sorted(dataset.count_values("ground_truth.detections.difficult").items()))
print(dataset.first()["ground_truth"].detections[0].bounding_box)
"""


# What people set for databases of their own, and what must not be found there afterwards.
HOSTILE = {
    "FIFTYONE_DATABASE_URI": "mongodb://127.0.0.1:9",
    "FIFTYONE_DATABASE_NAME": "theirs",
    "FIFTYONE_DATABASE_DIR": "theirs/database",
    "FIFTYONE_PRIVATE_DATABASE_PORT": "9",
    "FIFTYONE_DISABLE_SERVICES": "1",
    "FIFTYONE_CONFIG_PATH": "theirs/config.json",
    "FIFTYONE_DEFAULT_DATASET_DIR": "theirs/datasets",
    "FIFTYONE_DO_NOT_TRACK": "false",
    "HTTP_PROXY": "http://127.0.0.1:9",
}


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """A folder with three photos in `data/voc`."""
    folder = tmp_path / "data/voc"
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    (folder / "classes.txt").write_text("Bed\nKitchen & dining room table\n")
    for number in range(3):
        objects = (
            voc.VocObject("Bed", (20.0, 10.0, 60.0, 50.0)),
            voc.VocObject("Kitchen & dining room table", (0.0, 0.0, 99.0, 99.0), difficult=True),
        )
        annotation = voc.Annotation(f"{number:016x}", 200, 100, objects)
        voc.write(annotation, folder / "Annotations" / f"{annotation.image_id}.xml")
        Image.new("RGB", (200, 100)).save(voc.photo_path(folder, annotation.image_id))
        with (folder / "ImageSets/Main/test.txt").open("a") as file:
            file.write(f"{annotation.image_id}\n")
    return tmp_path


def test_the_dataset_has_every_photo_and_box_whatever_the_user_has_set(rooms: Path) -> None:
    (rooms / "theirs").mkdir()
    (rooms / "theirs/config.json").write_text('{"database_uri": "mongodb://127.0.0.1:9"}')
    done = processes.run([sys.executable, "-c", LOAD], rooms, environment() | HOSTILE)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()[-5:]
    assert lines == [
        "3 6",
        "[('Bed', 3), ('Kitchen & dining room table', 3)]",
        "True",
        "[(False, 3), (True, 3)]",
        "[0.1, 0.1, 0.2, 0.4]",
    ]
    assert (rooms / ".fiftyone/database/WiredTiger").exists()
    assert [path.name for path in (rooms / "theirs").iterdir()] == ["config.json"]


# A process that opens the database and says which process that is, then ends in some way.
OPEN = """
import os, signal, sys, psutil
from dminity.commands.database import run_database
run_database()
print(psutil.Process().children()[0].pid, flush=True)
exec(sys.argv[1])
"""
ENDS = {
    "regularly": "",
    "an error": "raise RuntimeError",
    "os._exit": "os._exit(1)",
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM)",
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
}


@pytest.mark.parametrize("how", ENDS.values(), ids=ENDS)
def test_the_database_ends_with_the_process_however_that_ends(tmp_path: Path, how: str) -> None:
    process = processes.start([sys.executable, "-c", OPEN, how], tmp_path, environment())
    assert process.stdout is not None
    database = psutil.Process(int(process.stdout.readline()))
    process.wait(processes.LIMIT_S)
    database.wait(processes.LIMIT_S)


def test_a_database_that_does_not_start_is_one_line(tmp_path: Path) -> None:
    database = tmp_path / ".fiftyone/database"
    database.mkdir(parents=True)
    for name in ("WiredTiger", "WiredTiger.turtle", "WiredTiger.wt"):
        (database / name).write_text("damaged")
    done = processes.run([sys.executable, "-c", OPEN, ""], tmp_path, environment())
    assert "NoDatabase: FiftyOne's database did not start (" in done.stderr
    assert "see .fiftyone/mongod.log, or delete .fiftyone to begin anew" in done.stderr


def test_a_database_in_use_is_left_alone(tmp_path: Path) -> None:
    with exclusive(tmp_path / ".fiftyone/database"):
        done = processes.run([sys.executable, "-c", OPEN, ""], tmp_path, environment())
    assert "Occupied: another process is at work on .fiftyone/database" in done.stderr
