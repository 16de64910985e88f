"""A training that is bound to fail says so; one that learns does not."""

import csv
import shutil
from pathlib import Path

import pytest

from dminity.data import voc
from dminity.training import prospects
from dminity.training.prospects import Course, doubt
from dminity.training.settings import TrainSettings
from tests.helpers.project import ROOT
from tests.helpers.training_runs import rows, run, settings

SAID = "note: this training is bound to fail: "
# Few photos, small and often: what takes a minute elsewhere takes a second.
TINY = {"input_size": 64, "batch_size": 2, "no_aug": 0.0, "warmup": 0.0}
# Photos look the same in each epoch, so that nothing but steps could move the loss much.
NO_STEPS = {"lr": 1e-7, "muon_lr": 1e-7, "flip": 0.0, "hsv": 0.0}


def doubts(
    losses: list[float], ap50: list[float], steps_per_epoch: int, chosen: TrainSettings
) -> list[str]:
    """What is said of a training after each of its epochs."""
    courses = [
        Course(losses[:epochs], epochs * steps_per_epoch, max(ap50[:epochs]))
        for epochs in range(1, len(losses) + 1)
    ]
    return [said for course in courses if (said := doubt(course, chosen))]


def column(path: Path) -> list[float]:
    """The figures of a file of DVCLive's, but for that of step 0."""
    with path.open() as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    return [float(row[path.stem]) for row in table if row["step"] != "0"]


def test_the_recorded_training_is_not_doubted() -> None:
    plots = ROOT / "metrics" / "train" / "plots" / "metrics"
    if not plots.exists():
        pytest.skip("no training is recorded: run `dvc repro`")
    losses = column(plots / "train" / "loss.tsv")
    ap50 = column(plots / "val" / "mAP50.tsv")
    assert doubts(losses, ap50, 75, settings(epochs=len(losses), warmup=0.1)) == []


@pytest.mark.slow
def test_a_training_that_learns_by_heart_is_not_doubted(trained: tuple[Path, Path]) -> None:
    found = rows(trained[1])
    losses, ap50 = ([value for _, value in found[name]] for name in ("train/loss", "val/mAP50"))
    assert doubts(losses, ap50, 10, settings(epochs=len(losses))) == []


@pytest.mark.parametrize(
    ("losses", "ap50", "said"),
    [
        # Weights that were trained before have little to learn, and find much.
        ([3.0] * 9, [0.4] * 9, None),
        # It learns slowly, and its time is not over.
        ([9.0 - epoch / 10 for epoch in range(9)], [0.0, 0.0, 0.01, *[0.3] * 6], None),
        # It unlearns what it found: `best` keeps that.
        ([9.0] * 9, [0.0, 0.2, *[0.0] * 7], None),
        ([9.0] * 2, [0.0] * 2, "the weights hardly move: raise train.lr"),
        ([9.0, 11.0], [0.0] * 2, "the steps are too large: lower train.lr"),
        ([9.0, 8.0, 7.0, 6.0], [0.0] * 4, "the loss fell from 9.00 to 6.00; see by `dminity"),
    ],
)
def test_what_is_said_of_a_course(losses: list[float], ap50: list[float], said: str | None) -> None:
    found = doubts(losses, ap50, 100, settings(epochs=9, warmup=0.1))
    assert found[:1] == ([line for line in found[:1] if said in line] if said else [])
    assert bool(found) == bool(said)


def test_a_rate_that_still_rises_is_waited_for() -> None:
    chosen = settings(epochs=20, warmup=0.5)
    assert [len(doubts([9.0] * epochs, [0.0] * epochs, 100, chosen)) for epochs in (5, 6)] == [0, 1]


def boxes_of_others(rooms: Path, folder: Path) -> Path:
    """A copy of a VOC folder in which each training photo has the boxes of the next one."""
    shutil.copytree(rooms, folder)
    ids = voc.read_ids(rooms, "train")
    for image_id, other in zip(ids, [*ids[1:], ids[0]], strict=True):
        mine = voc.read(voc.annotation_path(rooms, image_id))
        theirs = voc.read(voc.annotation_path(rooms, other))
        wider, higher = mine.width / theirs.width, mine.height / theirs.height
        objects = tuple(
            voc.VocObject(item.label, (left * wider, top * higher, right * wider, bottom * higher))
            for item in theirs.objects
            for left, top, right, bottom in [item.xyxy_pixels]
        )
        annotation = voc.Annotation(image_id, mine.width, mine.height, objects)
        voc.write(annotation, voc.annotation_path(folder, image_id))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epochs": 2, **NO_STEPS}, "the weights hardly move: raise train.lr"),
        ({"epochs": 2, **NO_STEPS, "freeze": 2}, "lower train.freeze, or set train.pretrained"),
    ],
)
def test_a_training_that_cannot_succeed_says_so(
    rooms: Path,
    tmp_path: Path,
    changes: dict[str, object],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(prospects, "FEWEST_STEPS", 12)
    run(rooms, tmp_path / "run", **(TINY | changes))
    assert said in told(capsys)


@pytest.mark.slow
def test_boxes_that_do_not_fit_their_photos_are_suspected(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prospects, "FEWEST_STEPS", 12)
    monkeypatch.setattr(prospects, "DUE_STEPS", 12)
    folder = boxes_of_others(rooms, tmp_path / "voc")
    run(folder, tmp_path / "run", **TINY, epochs=3)
    assert "see by `dminity view --split train` whether the boxes fit" in told(capsys)


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a training says of its prospects."""
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith(SAID))
    return line
