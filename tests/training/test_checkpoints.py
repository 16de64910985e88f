"""What is kept of a training, and what may resume it."""

import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from dvclive.live import Live

from dminity.data import voc
from dminity.network.detector import BadModelFile
from dminity.training.checkpoints import CHECKPOINT, ForeignCheckpoint, NotSaved, fingerprint
from dminity.training.loop import TrainingDiverged
from dminity.training.schedule import Schedule
from tests.helpers.training_runs import rows, run, settings

pytestmark = pytest.mark.slow


def test_the_checkpoint_of_the_last_good_epoch_outlives_a_bad_one(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "run"
    monkeypatch.setattr(Schedule, "lr", lambda _, done, photos: 1e30 if done > 1 else 0.0)
    with pytest.raises(TrainingDiverged, match="of epoch 1"):
        run(rooms, place, epochs=3)
    state = torch.load(place / CHECKPOINT, weights_only=True)
    assert state["epoch"] == 0
    assert all(value.isfinite().all() for value in state["state_dict"].values())


def test_a_checkpoint_of_another_run_is_refused(rooms: Path, tmp_path: Path) -> None:
    run(rooms, tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "other")
    with pytest.raises(ForeignCheckpoint, match=r"the checkpoint is of run, this run of other:"):
        run(rooms, tmp_path / "other")


def test_a_checkpoint_with_code_in_it_is_refused(rooms: Path, tmp_path: Path) -> None:
    run(rooms, tmp_path / "run")
    state = torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)
    torch.save(state | {"hook": Path.unlink}, tmp_path / "run" / CHECKPOINT)
    with pytest.raises(BadModelFile, match=r"last\.ckpt holds more than weights"):
        run(rooms, tmp_path / "run")


@contextmanager
def disk_with(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: to it, the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_costs_no_checkpoint(rooms: Path, tmp_path: Path) -> None:
    place = tmp_path / "run"
    run(rooms, place, epochs=1)
    before = (place / CHECKPOINT).read_bytes()
    with (
        disk_with(len(before) // 2),
        pytest.raises(NotSaved, match=r"last\.ckpt could not be saved \(.*run it again"),
    ):
        run(rooms, place, epochs=2)
    assert (place / CHECKPOINT).read_bytes() == before
    assert not list(place.glob(".*"))


def test_a_full_disk_costs_no_more_than_the_epoch_whose_row_it_refuses(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_metric = Live.log_metric

    def full(live: Live, *arguments: Any) -> None:
        # As DVCLive does when a disk is full, which a test cannot make so.
        if live.step == 2:
            raise OSError(28, "No space left on device")
        log_metric(live, *arguments)

    monkeypatch.setattr(Live, "log_metric", full)
    with pytest.raises(
        NotSaved, match=r"the row of epoch 2 could not be saved .*No space left.*make room"
    ):
        run(rooms, tmp_path / "run")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    run(rooms, tmp_path / "run")
    assert [step for step, _ in rows(tmp_path / "run" / "live")["train/loss"]] == [1, 2]


def test_a_finished_run_that_is_run_again_tells_the_same(rooms: Path, tmp_path: Path) -> None:
    # As after a kill between the last epoch and the end of the stage.
    weights = run(rooms, tmp_path / "run")
    told = rows(tmp_path / "run" / "live")
    again = run(rooms, tmp_path / "run")
    assert rows(tmp_path / "run" / "live") == told
    assert all(torch.equal(again[name], value) for name, value in weights.items())


def test_weights_that_the_last_step_spoiled_are_not_saved(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The last step of the second epoch: no loss of a batch after it is seen.
    monkeypatch.setattr(Schedule, "lr", lambda _, done, photos: 1e30 if done == 2 else 0.0)
    with pytest.raises(TrainingDiverged, match="the validation loss is no number after epoch 1"):
        run(rooms, tmp_path / "run", epochs=3)
    assert torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)["epoch"] == 0


@pytest.fixture
def copied_rooms(rooms: Path, tmp_path: Path) -> Path:
    """The rooms, to be changed."""
    return Path(shutil.copytree(rooms, tmp_path / "voc"))


def test_a_fingerprint_tells_parameters_and_data_apart(copied_rooms: Path) -> None:
    def of(
        variant: str = "yolox_nano", kinds: tuple[tuple[int, int], ...] = (), **changes: Any
    ) -> str:
        classes = voc.read_classes(copied_rooms)
        return fingerprint(settings(**changes), variant, classes, kinds, copied_rooms)

    known = of()
    assert of() == of(workers=7, cache_gb=3.0, devices=5, tensorboard=True) == known
    found = {known, of(variant="yolox_s"), of(lr=0.5), of(seed=9), of(batch_schedule={1: 2})}
    found |= {of(unverified="absent"), of(kinds=((1, 2),))}
    first = copied_rooms / "first.pth"
    for content in (b"a detector", b"another"):
        first.write_bytes(content)
        found.add(of(pseudo_labels=str(first)))
    image_id = voc.read_ids(copied_rooms, "train")[3]
    voc.photo_path(copied_rooms, image_id).write_bytes(b"another photo")
    found.add(of())
    path = voc.annotation_path(copied_rooms, image_id)
    path.write_text(path.read_text().replace("<truncated>0", "<truncated>1", 1))
    found.add(of())
    (copied_rooms / "weights.pth").write_bytes(b"1")
    found.add(of(pretrained=str(copied_rooms / "weights.pth")))
    (copied_rooms / "weights.pth").write_bytes(b"2")
    found.add(of(pretrained=str(copied_rooms / "weights.pth")))
    lists = copied_rooms / "ImageSets" / "Main"
    ids = voc.read_ids(copied_rooms, "train")
    (lists / "train.txt").write_text("\n".join(ids[:-1]))
    (lists / "val.txt").write_text("\n".join([ids[-1], *voc.read_ids(copied_rooms, "validation")]))
    found.add(of())
    assert len(found) == 14
