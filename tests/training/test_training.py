"""Training: what it learns, what it writes down, and what it refuses."""

import os
import re
import resource
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from dvclive.live import Live
from lightning.pytorch.plugins import MixedPrecision
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from yolox.models import YoloxHead, YoloxModule

from dminity.data import voc
from dminity.loader.batches import epoch_order
from dminity.loader.validation_photos import ValidationPhotos
from dminity.network.detector import BadModelFile, build_network
from dminity.training import hardware
from dminity.training import loop as training
from dminity.training import run as training_run
from dminity.training.checkpoints import CHECKPOINT, ForeignCheckpoint, NotSaved, fingerprint
from dminity.training.loop import TrainingDiverged
from dminity.training.processes import UnevenBatch
from dminity.training.schedule import Schedule
from dminity.training.step import OutOfMemory
from tests.helpers import training_runs
from tests.helpers.room_folder import SIDE, make_room_folder
from tests.helpers.training_runs import results, rows, run, settings

COUNTS = {"train": 12, "validation": 5}
LOSSES = {"loss", "box_loss", "obj_loss", "cls_loss"}
EXPECTED_ROWS = {f"train/{name}" for name in {*LOSSES, "num_fg"}}
EXPECTED_ROWS |= {f"val/{name}" for name in LOSSES}
EXPECTED_ROWS |= {f"val/{name}" for name in ("mAP50", "mAP50-95", "precision", "recall")}
EXPECTED_ROWS |= {f"x/lr{group}" for group in range(3)}
SPEED = {f"speed/{name}" for name in ("images_per_second", "waiting_for_data", "peak_memory_gb")}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VOC folder of rooms."""
    return make_room_folder(tmp_path_factory.mktemp("rooms") / "voc", COUNTS)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Away from this repository, which DVCLive would take for the one of the run."""
    monkeypatch.chdir(tmp_path)


def test_a_row_per_epoch_tells_losses_scores_rates_and_speed(rooms: Path, tmp_path: Path) -> None:
    run(rooms, tmp_path / "run", epochs=3, no_aug=0.34)
    found = rows(tmp_path / "run" / "live")
    assert set(found) == EXPECTED_ROWS | SPEED | {"train/l1_loss"}
    assert {name: [step for step, _ in table] for name, table in found.items()} == (
        {key: [1, 2, 3] for key in EXPECTED_ROWS | SPEED} | {"train/l1_loss": [3]}
    )
    for part in ("train", "val"):
        total = [value for _, value in found[f"{part}/loss"]]
        parts = [
            [value for _, value in found[f"{part}/{name}_loss"]] for name in ("box", "obj", "cls")
        ]
        if part == "train":
            parts.append([0.0, 0.0, found["train/l1_loss"][0][1]])
        np.testing.assert_allclose(np.sum(parts, axis=0), total, rtol=1e-5)
    for name in ("waiting_for_data", "images_per_second", "peak_memory_gb"):
        assert all(value > 0 for _, value in found[f"speed/{name}"])
    assert all(value < 1 for _, value in found["speed/waiting_for_data"])


@pytest.mark.filterwarnings("ignore:.*torch.cuda.amp.autocast.*:FutureWarning")
def test_validation_losses_are_the_librarys_own(rooms: Path, tmp_path: Path) -> None:
    # With one step of no length, the averaged weights are those that training started from.
    chosen = {"epochs": 1, "lr": 1e-30, "batch_size": 12, "no_aug": 0.0}
    run(rooms, tmp_path / "run", **chosen)
    torch.manual_seed(settings().seed)
    network = build_network("yolox_nano", 30).eval()
    network.head.__class__ = YoloxHead
    network.training = network.head.training = True
    plain = ValidationPhotos(rooms, "validation", voc.read_classes(rooms), (96, 96))
    images = torch.stack([plain[index][0] for index in range(5)]).permute(0, 3, 1, 2).float()
    targets = torch.zeros(5, 120, 5)
    for row, annotation in zip(targets, plain.annotations, strict=True):
        for place, item in enumerate(annotation.objects):
            left, top, right, bottom = (side * 96 / SIDE for side in item.xyxy_pixels)
            label = voc.read_classes(rooms).index(item.label)
            box = [label, (left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
            row[place] = torch.tensor(box)
    with torch.no_grad():
        expected = network(images, targets)
    found = {name: table[0][1] for name, table in rows(tmp_path / "run" / "live").items()}
    for ours, theirs in (("loss", "total"), ("box_loss", "iou"), ("cls_loss", "cls")):
        # Batch norm statistics have followed the photos by a step.
        assert found[f"val/{ours}"] == pytest.approx(float(expected[f"{theirs}_loss"]), rel=0.01)


@pytest.mark.slow
def test_eight_photos_are_learned_by_heart(trained: tuple[Path, Path]) -> None:
    _, live = trained
    assert max(score for _, score in rows(live)["val/mAP50"]) > 0.95


def test_the_first_step_is_pinned(tmp_path: Path) -> None:
    # Kept without loss, unscaled: what JPEG and scaling give depends a little on the processor.
    folder = make_room_folder(tmp_path / "voc", {"train": 12, "validation": 1}, side=96)
    draw = np.random.default_rng(0)
    for image_id in voc.read_ids(folder, "train"):
        blocks = draw.integers(0, 256, (6, 6, 3), np.uint8).repeat(16, axis=0).repeat(16, axis=1)
        cv2.imwrite(str(tmp_path / "blocks.png"), blocks)
        (tmp_path / "blocks.png").rename(voc.photo_path(folder, image_id))
        corners = np.sort(draw.integers(0, 96, (3, 2, 2)), axis=1).reshape(3, 4).tolist()
        objects = tuple(voc.VocObject("Bed", (a, b, c, d)) for a, b, c, d in corners)
        annotation = voc.Annotation(image_id, 96, 96, objects)
        voc.write(annotation, voc.annotation_path(folder, image_id))
    run(folder, tmp_path / "run", epochs=1, batch_size=12, no_aug=0.0, hsv=0.0)
    found = {name: table[0][1] for name, table in rows(tmp_path / "run" / "live").items()}
    pinned = {"loss": 11.3792, "box_loss": 4.6176, "obj_loss": 5.3221, "cls_loss": 1.4396}
    pinned |= {"num_fg": 0.9697}
    assert {name: found[f"train/{name}"] for name in pinned} == pytest.approx(pinned, rel=1e-3)


def test_workers_and_cache_change_nothing(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    mixed = {"mosaic": 0.7, "mixup": 0.5, "multiscale": 1}
    plain = run(rooms, tmp_path / "plain", **mixed)
    for workers, cache_gb in ((1, 0.0), (2, 0.001)):
        place = tmp_path / str(workers)
        weights = run(rooms, place, workers=workers, cache_gb=cache_gb, **mixed)
        for name, value in plain.items():
            assert torch.equal(weights[name], value)
        assert results(place / "live") == results(tmp_path / "plain" / "live")
    # The cache's file lost its name when all had opened it.
    assert not list(tmp_path.glob("dminity-*"))


def test_accumulated_batches_make_one_step(rooms: Path, tmp_path: Path) -> None:
    whole = run(rooms, tmp_path / "whole", batch_size=4, freeze_norms=True)
    parts = run(rooms, tmp_path / "parts", batch_size=2, accumulate=2, freeze_norms=True)
    found = rows(tmp_path / "parts" / "live")["train/loss"]
    expected = rows(tmp_path / "whole" / "live")["train/loss"]
    assert [step for step, _ in found] == [step for step, _ in expected]
    losses = [value for _, value in expected]
    assert [value for _, value in found] == pytest.approx(losses, rel=1e-4)
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, rtol=1e-2, atol=1e-4)


def test_the_batch_schedule_is_kept(rooms: Path, tmp_path: Path) -> None:
    run(rooms, tmp_path / "run", epochs=4, batch_schedule={1: 6, 2: 3}, warmup=0.0, no_aug=0.0)
    rates = [rate for _, rate in rows(tmp_path / "run" / "live")["x/lr0"]]
    schedule = Schedule(settings(epochs=4, warmup=0.0, no_aug=0.0))
    assert rates == pytest.approx([schedule.lr(n + 1, size) for n, size in enumerate((4, 6, 3, 3))])


@pytest.mark.parametrize(("epochs", "thaws"), [(1, False), (2, True)])
def test_a_frozen_backbone_keeps_still_and_then_learns(
    rooms: Path, tmp_path: Path, epochs: int, thaws: bool
) -> None:
    torch.manual_seed(settings().seed)
    fresh = build_network("yolox_nano", 30).state_dict()
    run(rooms, tmp_path / "run", epochs=epochs, freeze=1)
    state = torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)["state_dict"]
    changed = {
        name: not torch.equal(state[f"network.{name}"], value)
        for name, value in fresh.items()
        if name.endswith(("conv.weight", "running_mean"))
    }
    backbone = {name for name in changed if name.startswith("backbone.backbone.")}
    assert 50 < len(backbone) < len(changed)
    assert {changed[name] for name in backbone} == {thaws}
    assert all(changed[name] for name in changed.keys() - backbone)


def test_held_batch_norms_keep_their_statistics(rooms: Path, tmp_path: Path) -> None:
    run(rooms, tmp_path / "run", freeze_norms=True)
    state = torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)["state_dict"]
    means = [value for name, value in state.items() if name.endswith("running_mean")]
    assert means
    assert not any(value.any() for value in means)


def test_clipping_shortens_steps(rooms: Path, tmp_path: Path) -> None:
    def moved(clip: float) -> float:
        run(
            rooms,
            tmp_path / str(clip),
            epochs=1,
            batch_size=12,
            no_aug=0.0,
            clip=clip,
            weight_decay=0.0,
        )
        state = torch.load(tmp_path / str(clip) / CHECKPOINT, weights_only=True)
        steps = [
            entry["momentum_buffer"] for entry in state["optimizer_states"][0]["state"].values()
        ]
        return float(torch.cat([step.flatten() for step in steps]).norm())

    assert moved(0.0) > 1
    # The momentum after one step is its gradient.
    assert moved(0.01) == pytest.approx(0.01, rel=1e-3)


def test_training_ends_when_validation_settles(rooms: Path, tmp_path: Path) -> None:
    # Without a step of any length AP stays what it is in the first epoch.
    run(rooms, tmp_path / "run", epochs=9, patience=2, lr=1e-30)
    assert [step for step, _ in rows(tmp_path / "run" / "live")["train/loss"]] == [1, 2, 3]
    # Interrupted after its last epoch, it does not go on.
    run(rooms, tmp_path / "run", epochs=9, patience=2, lr=1e-30)
    assert [step for step, _ in rows(tmp_path / "run" / "live")["train/loss"]] == [1, 2, 3]


def test_pictures_are_drawn_every_n_epochs(rooms: Path, tmp_path: Path) -> None:
    run(rooms, tmp_path / "run", epochs=4, pictures_every=2)
    pictures = sorted((tmp_path / "run" / "pictures").rglob("*.jpg"))
    assert [path.relative_to(tmp_path / "run" / "pictures").as_posix() for path in pictures] == [
        f"{photo:02}/{epoch:03}.jpg" for photo in range(COUNTS["validation"]) for epoch in (2, 4)
    ]
    picture = cv2.imread(str(pictures[0]))
    assert picture is not None
    assert max(picture.shape) == SIDE


def test_tensorboard_has_the_same_rows(rooms: Path, tmp_path: Path) -> None:
    run(rooms, tmp_path / "run", tensorboard=True)
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard" / "run"))
    events.Reload()
    found = rows(tmp_path / "run" / "live")
    assert set(events.Tags()["scalars"]) == set(found)
    for name, table in found.items():
        logged = [(event.step, event.value) for event in events.Scalars(name)]
        assert logged == [(step, pytest.approx(value, rel=1e-5)) for step, value in table]


@pytest.mark.slow
def test_trained_weights_are_scored_before_the_first_step(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    model, live = trained
    folder = model.parent / "voc"
    # Steps that can only do harm: the weights of the start are the best, and are what comes back.
    harmful = {"input_size": 128, "batch_size": 8, "lr": 0.5, "warmup": 0.0}
    weights = run(folder, tmp_path / "run", pretrained=str(model), **harmful)
    scores = rows(tmp_path / "run" / "live")["val/mAP50-95"]
    assert [step for step, _ in scores] == [0, 1, 2]
    best = max(value for _, value in rows(live)["val/mAP50-95"])
    assert scores[0][1] == pytest.approx(best)
    assert scores[0][1] > max(value for _, value in scores[1:])
    start = torch.load(model, weights_only=True)["model"]
    assert all(torch.equal(weights[name], value) for name, value in start.items())


def test_photos_without_boxes_and_small_photos_are_no_trouble(tmp_path: Path) -> None:
    folder = make_room_folder(tmp_path / "voc", {"train": 4, "validation": 2})
    for image_id in voc.read_ids(folder, "train"):
        path = voc.annotation_path(folder, image_id)
        empty = voc.read(path)
        voc.write(voc.Annotation(image_id, empty.width, empty.height, ()), path)
    # 160 pixels are fewer than the input has.
    run(folder, tmp_path / "run", input_size=192, batch_size=2)
    found = rows(tmp_path / "run" / "live")
    assert [value for _, value in found["train/num_fg"]] == [0, 0]
    assert all(value == 0 for _, value in found["train/box_loss"])
    assert all(0 < value < 1e4 for _, value in found["train/obj_loss"])


class LittleMemory:
    """Stands for a GPU that holds so many photos at once; there is none to be had in tests."""

    def __init__(self, network: torch.nn.Module, photos: int) -> None:
        self.forward, self.photos = network.forward, photos
        self.passes: list[int] = []

    def __call__(self, images: torch.Tensor, *others: Any) -> Any:
        """The network's own forward pass, if there is room."""
        self.passes.append(len(images))
        if len(images) > self.photos:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.forward(images, *others)


def with_little_memory(monkeypatch: pytest.MonkeyPatch, photos: int) -> list[LittleMemory]:
    """Let trainings from now on have room for so many photos, however many were measured."""
    built: list[LittleMemory] = []
    build = build_network

    def scarce(variant: str, classes: int) -> YoloxModule:
        network = build(variant, classes)
        built.append(LittleMemory(network, photos))
        network.forward = built[-1]
        return network

    monkeypatch.setattr(training_runs, "build_network", scarce)
    monkeypatch.setattr(training, "largest_batch", lambda *_: 8)
    return built


def test_a_batch_that_does_not_fit_is_halved_without_losing_it(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = with_little_memory(monkeypatch, photos=3)
    run(rooms, tmp_path / "run", batch_size="auto")
    # Eight did not fit, nor did four; from then on, twos.
    assert built[0].passes == [8, 4, *[2] * 8]
    state = torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)
    assert (state["batch_size"], state["parts"]) == (8, 4)
    assert [step for step, _ in rows(tmp_path / "run" / "live")["train/loss"]] == [1, 2]


def test_a_batch_of_a_given_size_that_does_not_fit_is_refused(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_little_memory(monkeypatch, photos=3)
    with pytest.raises(OutOfMemory, match=r"4 photos at once do not fit.*lower train.batch_size"):
        run(rooms, tmp_path / "run", batch_size=4)


def test_a_loss_that_is_no_number_is_named_and_costs_one_epoch(rooms: Path, tmp_path: Path) -> None:
    place = tmp_path / "run"
    with pytest.raises(TrainingDiverged) as raised:
        run(rooms, place, epochs=3, lr=1e30, warmup=0.9)
    found = re.fullmatch(
        r"the loss is no number in batch (\d) of epoch (\d) \(photos (.*)\); lower train.lr, .*",
        str(raised.value),
    )
    assert found
    batch, epoch = int(found[1]), int(found[2])
    order = epoch_order(COUNTS["train"], settings().seed, epoch)[4 * batch : 4 * batch + 4]
    ids = voc.read_ids(rooms, "train")
    assert found[3].split(", ") == [ids[index] for index in order]


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
        pytest.raises(NotSaved, match=r"last\.ckpt could not be saved: .*run again"),
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
    with pytest.raises(NotSaved, match=r"the row of epoch 2 could not be saved: .*No space left"):
        run(rooms, tmp_path / "run")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    run(rooms, tmp_path / "run")
    assert [step for step, _ in rows(tmp_path / "run" / "live")["train/loss"]] == [1, 2]


def test_batches_that_processes_cannot_share_are_refused(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnevenBatch, match=r"train.batch_schedule.3 is 5, which 2 processes cannot"):
        run(rooms, tmp_path / "run", devices=2, batch_schedule={3: 5})
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    with pytest.raises(UnevenBatch, match=r"a split has 5 photos for 6 processes; lower"):
        run(rooms, tmp_path / "run", devices=6, batch_size=6)


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


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_sixteen_bits_learn_as_thirty_two_do(
    rooms: Path, tmp_path: Path, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if precision == "fp16":
        # Lightning has fp16 for GPUs only; PyTorch's scaler, which is what matters, runs anywhere.
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**20)  # too large: some steps overflow
        plugin = MixedPrecision("16-mixed", "cpu", scaler)
        monkeypatch.setattr(training_run, "cluster", lambda: [plugin])
        monkeypatch.setattr(hardware, "lightning_precision", lambda *_: None)
    losses = {}
    for name in (precision, "fp32"):
        run(rooms, tmp_path / name, precision=name, epochs=3, clip=10.0)
        losses[name] = [value for _, value in rows(tmp_path / name / "live")["train/loss"]]
        monkeypatch.undo()
        monkeypatch.chdir(tmp_path)
    if precision == "fp16":
        assert scaler.get_scale() < 2.0**20
    assert losses[precision] == pytest.approx(losses["fp32"], rel=0.05)
    assert losses[precision] != losses["fp32"]


def test_a_compiled_network_learns_the_same(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Traced and guarded for real; making machine code of it would take minutes.
    compile_network = torch.nn.Module.compile
    traced: list[torch.nn.Module] = []

    def trace(network: torch.nn.Module) -> None:
        compile_network(network, backend="eager")
        traced.append(network)

    monkeypatch.setattr(torch.nn.Module, "compile", trace)
    plain = run(rooms, tmp_path / "plain", epochs=1, input_size=64)
    compiled = run(rooms, tmp_path / "compiled", epochs=1, input_size=64, compile=True)
    assert plain.keys() == compiled.keys()
    assert len(traced) == 1
    found = [rows(tmp_path / name / "live")["train/loss"] for name in ("plain", "compiled")]
    losses = [[value for _, value in table] for table in found]
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


@pytest.mark.slow
def test_the_batch_that_fits_is_measured_before_trained_weights_are_scored(
    trained: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "free_bytes", lambda _: 10**9)
    run(
        trained[0].parent / "voc",
        tmp_path / "run",
        pretrained=str(trained[0]),
        input_size=128,
        batch_size="auto",
        epochs=1,
    )
    state = torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)
    assert state["batch_size"] in (16, 32, 64)
    assert [step for step, _ in rows(tmp_path / "run" / "live")["val/mAP50"]] == [0, 1]


@pytest.fixture
def copied_rooms(rooms: Path, tmp_path: Path) -> Path:
    """The rooms, to be changed."""
    return Path(shutil.copytree(rooms, tmp_path / "voc"))


def test_a_fingerprint_tells_parameters_and_data_apart(copied_rooms: Path) -> None:
    def of(variant: str = "yolox_nano", **changes: Any) -> str:
        return fingerprint(
            settings(**changes), variant, voc.read_classes(copied_rooms), copied_rooms
        )

    known = of()
    assert of() == of(workers=7, cache_gb=3.0, devices=5, tensorboard=True) == known
    found = {known, of(variant="yolox_s"), of(lr=0.5), of(seed=9), of(batch_schedule={1: 2})}
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
    assert len(found) == 10
