"""How fast a CPU trains YOLOX-nano, against YOLOX's own parts and Ultralytics' YOLO11n.

    make benchmarks

Images per second at 320 pixels in batches of 8, with mosaic, one loader process beside the one that
trains. YOLOX is the library's network, losses and loader in a bare loop. Ours is what the train
stage runs, moving average, figures and checkpoints included. Each has processes of its own, and
they take turns of a few steps, so that a busy machine slows all of them alike. Ultralytics is put
into a temporary folder; it is no part of this project.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch.utils.data import DataLoader
from yolox.config import YoloxConfig

from benchmarks import peer
from benchmarks.loader import SETTINGS, PhotosForYolox
from benchmarks.table import print_table
from dminity.core.amenities import NAMES
from dminity.loader.training_photos import LabeledPhotos
from dminity.network.detector import build_network
from dminity.params import PARAMS_FILE, load_params
from dminity.training.loaders import start_worker
from dminity.training.recipe import settings_of
from dminity.training.recording import Recording
from dminity.training.run import make_trainer, make_training
from dminity.training.settings import TrainSettings
from tests.helpers.room_folder import make_room_folder
from tests.helpers.yolox_loader import yolox_loader

ROOT = Path(__file__).parents[1]
VARIANT = "yolox_nano"
SIDE = 320
BATCH = 8
WORKERS = 1
COUNTS = {"train": 256, "validation": 1}
PREPARED_STEPS = 3  # what a loader has ready when a turn begins is not timed
TIMED_STEPS = 8
ROUNDS = 8
ENDLESS = 1000


class Turns:
    """Lets a training go on when it is its turn, and tells how long its steps took."""

    def __init__(self, turn: Connection) -> None:
        self.turn = turn
        self.left = 0
        self.start = 0.0

    def step(self, *_: object) -> None:
        """To be called after every step."""
        if self.left == TIMED_STEPS:
            self.start = time.perf_counter()
        if self.left == 0:
            if self.start:
                self.turn.send(time.perf_counter() - self.start)
            self.turn.recv()
            self.left = PREPARED_STEPS + TIMED_STEPS
        self.left -= 1


def main() -> None:
    """Make the rooms, let the trainings take turns, print the table."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        folder = make_room_folder(place / "voc", COUNTS, side=640)
        peer.install(place / "peer")
        trainings: dict[str, Callable[[Connection], None]] = {
            "YOLOX": partial(train_yolox, folder),
            "dminity": partial(train_ours, folder, place / "a", cache_gb=0.0),
            "dminity, photos in memory": partial(train_ours, folder, place / "b", cache_gb=1.0),
            "YOLO11n": partial(train_peer, folder, place, cache=False),
            "YOLO11n, photos in memory": partial(train_peer, folder, place, cache=True),
        }
        print_table(take_turns(trainings), ["YOLOX", "YOLO11n"], TIMED_STEPS * BATCH)


def settings(**changes: object) -> TrainSettings:
    """The settings of a training from scratch with those of this comparison."""
    chosen: dict[str, object] = {
        "input_size": SIDE,
        "batch_size": BATCH,
        "workers": WORKERS,
        "epochs": ENDLESS,
    }
    chosen |= {"mosaic": 1.0, "mixup": 0.0, "no_aug": 0.0, "pictures_every": 0, "precision": "fp32"}
    usual = settings_of(load_params(ROOT / PARAMS_FILE).train, VARIANT, num_photos=1)
    return TrainSettings.model_validate(usual.model_dump() | chosen | changes)


def train_yolox(folder: Path, turn: Connection) -> None:
    """The library's network and loader, in the shortest loop that trains."""
    turns = Turns(turn)
    photos = LabeledPhotos(folder, "train", NAMES, (SIDE, SIDE), "ignore")
    config = YoloxConfig.get_named_config(VARIANT)
    config.num_classes = len(NAMES)
    network = config.get_model()
    optimizer = torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9, nesterov=True)
    batches = DataLoader(
        yolox_loader(PhotosForYolox(photos, in_memory=False), (SIDE, SIDE), SETTINGS),
        BATCH,
        shuffle=True,
        num_workers=WORKERS,
        worker_init_fn=start_worker,
        drop_last=True,
    )
    while True:
        for images, targets, _, _ in batches:
            optimizer.zero_grad()
            network(images, targets)["total_loss"].backward()
            optimizer.step()
            turns.step()


class TakeTurns(Callback):
    """Turns of a training in Lightning's loop."""

    def __init__(self, turn: Connection) -> None:
        self.turns = Turns(turn)

    def on_train_batch_end(self, *_: object) -> None:
        """A step is done."""
        self.turns.step()


def train_ours(folder: Path, place: Path, turn: Connection, cache_gb: float) -> None:
    """The train stage's own run."""
    L.seed_everything(1, verbose=False)
    chosen = settings(cache_gb=cache_gb)
    network = build_network(VARIANT, len(NAMES))
    training = make_training(network, chosen, VARIANT, folder, NAMES, "run", resumes=False)
    trainer = make_trainer(chosen, VARIANT, 1)
    recording = Recording(None, None, place / "last.ckpt", place)
    trainer.callbacks += [recording, TakeTurns(turn)]  # type: ignore[attr-defined]
    trainer.fit(training)


def train_peer(folder: Path, place: Path, turn: Connection, cache: bool) -> None:
    """Ultralytics' trainer, on the same photos in its own layout."""
    home = place / f"yolo-{cache}"
    photos = peer.write_photos(folder, home)
    peer.make_importable(place / "peer", home)
    from ultralytics import YOLO

    turns = Turns(turn)
    model = YOLO("yolo11n.yaml")
    model.add_callback("on_train_batch_end", turns.step)
    model.train(
        data=str(photos),
        imgsz=SIDE,
        batch=BATCH,
        workers=WORKERS,
        epochs=ENDLESS,
        close_mosaic=0,
        optimizer="SGD",
        cache="ram" if cache else False,
        amp=False,
        val=False,
        save=False,
        plots=False,
        verbose=False,
        device="cpu",
        project=str(home),
    )


def take_turns(trainings: dict[str, Callable[[Connection], None]]) -> dict[str, list[float]]:
    """The seconds that each training took for its steps in every round; the first is a warm-up."""
    context = multiprocessing.get_context("spawn")
    turns, processes = {}, []
    for name, run in trainings.items():
        turns[name], theirs = context.Pipe()
        processes.append(context.Process(target=run, args=(theirs,)))
        processes[-1].start()
    seconds: dict[str, list[float]] = {name: [] for name in trainings}
    try:
        for _ in range(1 + ROUNDS):
            for name, turn in turns.items():
                turn.send(None)
                seconds[name].append(turn.recv())
    finally:
        for process in processes:
            process.kill()
    return {name: rounds[1:] for name, rounds in seconds.items()}


if __name__ == "__main__":
    main()
