"""A training that is killed ends as if it had not been; one on two processes as one on one."""

import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from yaml import safe_dump, safe_load

from dminity.core.amenities import NAMES
from dminity.core.ending import INTERRUPTED
from dminity.data import voc
from dminity.params import PARAMS_FILE
from tests.helpers.detectors import random_detector, save
from tests.helpers.processes import LIMIT_S
from tests.helpers.room_folder import make_room_folder
from tests.helpers.s3_server import free_ports
from tests.helpers.training_runs import STAGE, epochs_done, make_project, results, start_stage

EPOCHS = 10

pytestmark = pytest.mark.slow


def finish(process: "subprocess.Popen[str]") -> str:
    """What a stage printed that had to succeed."""
    output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, output
    return output


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VOC folder of rooms; an odd number of them for validation.

    Some classes are unknown in every other room, and its first box is one around a group.
    """
    counts = {"train": 24, "validation": 7}
    folder = make_room_folder(tmp_path_factory.mktemp("rooms") / "voc", counts)
    for path in sorted((folder / "Annotations").iterdir())[::2]:
        room = voc.read(path)
        group, *others = room.objects
        objects = (replace(group, difficult=True), *others)
        voc.write(replace(room, objects=objects, unverified=NAMES[:20]), path)
    return folder


def kill_at_a_random_moment(project: Path, number: signal.Signals) -> str:
    """Run the stage, end it some time after its first epoch; return what it printed."""
    before = epochs_done(project)
    process = start_stage(project)
    while epochs_done(project) <= before:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.3))
    assert process.poll() is None, "the training was too fast to be killed"
    process.send_signal(number)
    output, _ = process.communicate(timeout=LIMIT_S)
    code = INTERRUPTED if number == signal.SIGINT else -number
    assert process.returncode == code, output
    return output


# All that could go astray: random photos, augmentation and sizes, phases, pictures, other batches.
EVERYTHING: dict[str, object] = {
    "epochs": EPOCHS,
    "sampling": "classes",
    "unverified": "ignore",
    "mosaic": 0.5,
    "mixup": 0.5,
    "multiscale": 1,
    "small_first": 0.5,
    "workers": 1,
}
EVERYTHING |= {"no_aug": 0.3, "freeze": 3, "pictures_every": 5, "batch_schedule": {5: 8}}


@pytest.fixture(scope="module")
def straight(
    rooms: Path, trained: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A project whose training, from trained weights, was not interrupted."""
    project = tmp_path_factory.mktemp("straight")
    first = save(random_detector(0), project / "first.pth")
    changes = EVERYTHING | {"pretrained": str(trained[0]), "pseudo_labels": str(first)}
    make_project(project, rooms, **changes)
    finish(start_stage(project))
    return project


def test_a_killed_training_ends_as_one_that_was_not(straight: Path, tmp_path: Path) -> None:
    killed = Path(shutil.copytree(straight, tmp_path / "killed"))
    (killed / "models" / "model.pth").unlink()
    shutil.rmtree(killed / "metrics")
    for _ in range(3):
        kill_at_a_random_moment(killed, signal.SIGKILL)
        assert not (killed / "models" / "model.pth").exists()
    output = kill_at_a_random_moment(killed, signal.SIGTERM)
    assert "error: training was ended by SIGTERM; run again to resume\n" in output
    finish(start_stage(killed))
    model = Path("models") / "model.pth"
    assert (killed / model).read_bytes() == (straight / model).read_bytes()
    live = Path("metrics") / "train"
    assert results(killed / live) == results(straight / live)
    pictures = list((straight / "metrics" / "plots" / "training").rglob("*.jpg"))
    assert len(pictures) == 7 * len((0, 5, 10))
    for picture in pictures:
        name = picture.relative_to(straight)
        assert (killed / name).read_bytes() == picture.read_bytes()
    assert not list((killed / "models" / "unfinished").iterdir())


def test_a_training_goes_on_only_from_its_own_checkpoint(rooms: Path, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rooms, epochs=EPOCHS)
    process = start_stage(project)
    while not (found := list((project / "models" / "unfinished").glob("*/last.ckpt"))):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)
    process.kill()
    process.communicate()
    path = project / PARAMS_FILE
    path.write_text(path.read_text().replace("epochs: 10", "epochs: 1"))
    finish(start_stage(project))
    assert [step for step, _ in results(project / "metrics" / "train")["train/loss"]] == [1]
    # What was interrupted can still be gone on with.
    assert found[0].exists()


def finish_on_two_machines(project: Path) -> None:
    """Run the stage to its end as two machines that share a folder do, of one process each."""
    path = project / PARAMS_FILE
    params = safe_load(path.read_text())
    params["train"] |= {"devices": 1, "num_nodes": 2}
    path.write_text(safe_dump(params))
    command = [Path(sys.executable).with_name("torchrun"), "--nnodes=2", "--nproc-per-node=1"]
    command += ["--master-addr=127.0.0.1", f"--master-port={free_ports(1)[0]}"]
    machines = [
        start_stage(project, tuple(map(str, (*command, f"--node-rank={rank}", *STAGE))))
        for rank in (0, 1)
    ]
    for machine in machines:
        finish(machine)


def test_two_processes_train_as_one(trained: tuple[Path, Path], tmp_path: Path) -> None:
    # Rooms that the weights know, so that scores tell; an untrained network matches by rounding.
    changes = {"pretrained": str(trained[0]), "input_size": 128, "epochs": 2}
    changes |= {"batch_size": 4, "accumulate": 2, "freeze": 1}
    changes |= {"lr": 0.02, "muon_lr": 0.02, "cache_gb": 0.1, "mosaic": 0.5}
    changes |= {"sampling": "classes", "pseudo_labels": str(trained[0])}
    found = []
    for devices in (1, 2):
        project = make_project(
            tmp_path / str(devices), trained[0].parent / "voc", devices=devices, **changes
        )
        # Of validation an odd number, so that one process has more of them.
        for split, count in (("train", 40), ("validation", 7)):
            path = voc.split_path(project / "data" / "voc", split)
            path.write_text("\n".join(path.read_text().split()[:count]))
        for image_id in set(voc.read_ids(project / "data" / "voc", "train")):
            path = voc.annotation_path(project / "data" / "voc", image_id)
            room = voc.read(path)
            objects = tuple(item for item in room.objects if item.label != "Sink")
            voc.write(replace(room, objects=objects, unverified=("Sink",)), path)
        if devices == 2:
            # Both end at once, though one may be waiting for the other, and both go on.
            output = kill_at_a_random_moment(project, signal.SIGTERM)
            assert "error: training was ended by SIGTERM; run again to resume" in output
            finish_on_two_machines(project)
        else:
            finish(start_stage(project))
        found.append(results(project / "metrics" / "train"))
    alone, together = found
    assert alone["val/mAP50"][0][1] > 0.5
    assert alone.keys() == together.keys()
    for name, table in alone.items():
        # Step 0 tells of the same weights: whatever differed there would be a photo counted twice.
        # Later, a box that is found or not moves a score by more than rounding moves a loss.
        later = 0.01 if name.endswith(("loss", "num_fg", "lr0", "lr1", "lr2", "lr3")) else 0.1
        assert [step for step, _ in together[name]] == [step for step, _ in table]
        for (step, value), (_, found_value) in zip(table, together[name], strict=True):
            tolerance = later if step else 1e-4
            assert found_value == pytest.approx(value, rel=tolerance, abs=tolerance), (name, step)
