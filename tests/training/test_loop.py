"""Training: what it learns, and what it refuses."""

import os
import re
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision
from torch import nn
from yolox.models import YoloxModule

from dminity.data import voc
from dminity.loader.batches import epoch_order
from dminity.network.detector import build_network
from dminity.training import hardware, launch, optimizer
from dminity.training import loop as training
from dminity.training.averaging import follow
from dminity.training.batch_norm import shorten_memory
from dminity.training.checkpoints import CHECKPOINT
from dminity.training.loop import TrainingDiverged
from dminity.training.processes import UnevenBatch
from dminity.training.schedule import Schedule
from dminity.training.step import OutOfMemory
from tests.helpers import training_runs
from tests.helpers.room_folder import make_room_folder
from tests.helpers.training_runs import COUNTS, results, rows, run, settings

pytestmark = pytest.mark.slow


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
        objects = tuple(
            voc.VocObject("Bed", (a, b, c, d)) for a, b, c, d in corners if a < c and b < d
        )
        annotation = voc.Annotation(image_id, 96, 96, objects)
        voc.write(annotation, voc.annotation_path(folder, image_id))
    run(folder, tmp_path / "run", epochs=1, batch_size=12, no_aug=0.0, hsv=0.0)
    found = {name: table[0][1] for name, table in rows(tmp_path / "run" / "live").items()}
    pinned = {"loss": 13.4198, "box_loss": 4.6176, "obj_loss": 5.3221, "cls_loss": 1.4396}
    pinned |= {"l1_loss": 2.0406, "num_fg": 0.9697}
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


def test_the_batch_schedule_is_kept(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps_in_all: list[int] = []

    def observed(
        average: list[torch.Tensor], network: list[torch.Tensor], step: int, steps: int
    ) -> None:
        steps_in_all.append(steps)
        follow(average, network, step, steps)

    monkeypatch.setattr(training, "follow", observed)
    run(rooms, tmp_path / "run", epochs=4, batch_schedule={1: 6, 2: 3}, warmup=0.0, no_aug=0.0)
    rates = [rate for _, rate in rows(tmp_path / "run" / "live")["x/lr0"]]
    schedule = Schedule(settings(epochs=4, warmup=0.0, no_aug=0.0))
    assert rates == pytest.approx([schedule.lr(n + 1, size) for n, size in enumerate((4, 6, 3, 3))])
    # The average knows from the first step on how many there will be.
    assert steps_in_all == [3 + 2 + 4 + 4] * 13


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


def test_a_short_training_has_statistics_of_a_short_memory(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks: list[nn.Module] = []

    def observed(network: nn.Module, steps: int) -> None:
        shorten_memory(network, steps)
        networks.append(network)

    monkeypatch.setattr(training, "shorten_memory", observed)
    run(rooms, tmp_path / "run", batch_size=1)
    momenta = {part.momentum for part in networks[-1].modules() if isinstance(part, nn.BatchNorm2d)}
    # There are 24 steps.
    assert momenta == {0.25}


def test_clipping_shortens_steps(rooms: Path, tmp_path: Path) -> None:
    # Muon's steps are as long for any gradient.
    def moved(clip: float) -> float:
        run(
            rooms,
            tmp_path / str(clip),
            epochs=1,
            batch_size=12,
            no_aug=0.0,
            optimizer="sgd",
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


def test_groups_teach_nothing(tmp_path: Path) -> None:
    # Squares, of which nothing is gray in the input.
    folder = make_room_folder(tmp_path / "voc", {"train": 4, "validation": 2})
    draw = np.random.default_rng(0)
    for image_id in voc.read_ids(folder, "train"):
        photo = draw.integers(0, 256, (96, 96, 3), np.uint8)
        cv2.imwrite(str(voc.photo_path(folder, image_id)), photo)
        whole = voc.VocObject("Bed", (0.0, 0.0, 96.0, 96.0), difficult=True)
        annotation = voc.Annotation(image_id, 96, 96, (whole,))
        voc.write(annotation, voc.annotation_path(folder, image_id))
    run(folder, tmp_path / "run", batch_size=2)
    found = rows(tmp_path / "run" / "live")
    assert [value for _, value in found["train/loss"]] == [0, 0]


def test_parts_of_a_batch_are_cut_with_their_maps(rooms: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(rooms, tmp_path / "voc"))
    for number, image_id in enumerate(voc.read_ids(folder, "train")):
        path = voc.annotation_path(folder, image_id)
        unverified = voc.read_classes(folder)[number % 3 :: 3]
        voc.write(replace(voc.read(path), unverified=unverified), path)
    chosen: dict[str, object] = {"epochs": 1, "mosaic": 0.5, "no_aug": 0.0, "freeze_norms": True}
    chosen["unverified"] = "ignore"
    trials: dict[str, dict[str, object]] = {
        "whole": {},
        "parts": {"batch_size": 1, "accumulate": 4},
        "absent": {"unverified": "absent"},
    }
    found = {}
    for name, changes in trials.items():
        run(folder, tmp_path / name, **(chosen | changes))
        found[name] = rows(tmp_path / name / "live")
    for name in ("train/obj_loss", "train/cls_loss"):
        ((_, whole),), ((_, parts),) = (found[key][name] for key in ("whole", "parts"))
        assert parts == pytest.approx(whole, rel=1e-3)
    # Of background two thirds count, which is little of the loss: a fresh network says it anyway.
    assert found["whole"]["train/obj_loss"][0][1] < 0.99 * found["absent"]["train/obj_loss"][0][1]


class LittleMemory:
    """Stands for a device that holds so many photos at once; no GPU is to be had in tests."""

    def __init__(self, network: torch.nn.Module, photos: int, error: Exception) -> None:
        self.forward, self.photos, self.error = network.forward, photos, error
        self.passes: list[int] = []

    def __call__(self, images: torch.Tensor, *others: Any) -> Any:
        """The network's own forward pass, if there is room."""
        self.passes.append(len(images))
        if len(images) > self.photos:
            raise self.error
        return self.forward(images, *others)


# As a GPU says it, and as a CPU does.
OUT_OF_MEMORY = (
    torch.OutOfMemoryError("CUDA out of memory."),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
)


def with_little_memory(
    monkeypatch: pytest.MonkeyPatch, photos: int, error: Exception = OUT_OF_MEMORY[0]
) -> list[LittleMemory]:
    """Let trainings from now on have room for so many photos, however many were measured."""
    built: list[LittleMemory] = []
    build = build_network

    def scarce(variant: str, classes: int) -> YoloxModule:
        network = build(variant, classes)
        built.append(LittleMemory(network, photos, error))
        network.forward = built[-1]
        return network

    monkeypatch.setattr(training_runs, "build_network", scarce)
    monkeypatch.setattr(training, "largest_batch", lambda *_: 8)
    return built


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=["on a GPU", "on a CPU"])
def test_a_batch_that_does_not_fit_is_halved_without_losing_it(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    built = with_little_memory(monkeypatch, 3, error)
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
        r"the loss is no number in batch (\d) of epoch (\d) \(photos (.*)\); "
        "lower train.lr and train.muon_lr, or .*",
        str(raised.value),
    )
    assert found
    batch, epoch = int(found[1]), int(found[2])
    order = epoch_order(COUNTS["train"], settings().seed, epoch)[4 * batch : 4 * batch + 4]
    ids = voc.read_ids(rooms, "train")
    assert found[3].split(", ") == [ids[index] for index in order]


def test_batches_that_processes_cannot_share_are_refused(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnevenBatch, match=r"train.batch_schedule.3 is 5, which 2 processes cannot"):
        run(rooms, tmp_path / "run", devices=2, batch_schedule={3: 5})
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    with pytest.raises(UnevenBatch, match=r"a split has 5 photos for 6 processes; lower"):
        run(rooms, tmp_path / "run", devices=6, batch_size=6)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_sixteen_bits_learn_as_thirty_two_do(
    rooms: Path, tmp_path: Path, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if precision == "fp16":
        # Lightning has fp16 for GPUs only; PyTorch's scaler, which is what matters, runs anywhere.
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**20)  # too large: some steps overflow
        plugin = MixedPrecision("16-mixed", "cpu", scaler)
        monkeypatch.setattr(launch, "cluster", lambda *_: plugin)
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
    # Any program will do for a compiler that is not called.
    monkeypatch.setenv("CXX", sys.executable)
    plain = run(rooms, tmp_path / "plain", epochs=1, input_size=64)
    compiled = run(rooms, tmp_path / "compiled", epochs=1, input_size=64, compile=True)
    assert plain.keys() == compiled.keys()
    assert len(traced) == 1
    found = [rows(tmp_path / name / "live")["train/loss"] for name in ("plain", "compiled")]
    losses = [[value for _, value in table] for table in found]
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


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


def test_sixteen_bits_are_none_of_the_optimizers(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directions: list[torch.Tensor] = []
    orthogonal = optimizer.orthogonal

    def observed(matrices: torch.Tensor) -> torch.Tensor:
        directions.append(orthogonal(matrices))
        return directions[-1]

    monkeypatch.setattr(optimizer, "orthogonal", observed)
    run(rooms, tmp_path / "run", precision="bf16", epochs=1, batch_size=12, input_size=64)
    assert {found.dtype for found in directions} == {torch.float32}
