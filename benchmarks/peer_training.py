"""A training by Ultralytics that lasts for given seconds, and what it finds.

It has all cores, decoded photos in memory, no plots, and validates when it is done; all else is as
Ultralytics has it. Its own limit on time (`time`) fits the learning rate, the end of mosaic and
YOLO26's two losses to the epochs that it will reach, anew after each epoch.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import peer
from dminity.data import voc
from dminity.detection.boxes import cxcywh_to_xyxy
from dminity.detection.detections import Detections

# As Ultralytics names architectures, which come without weights.
ARCHITECTURES = {"YOLO11n": "yolo11n.yaml", "YOLO26n": "yolo26n.yaml"}


class Clock:
    """What Ultralytics' trainer calls: it gets all cores, and its time is taken.

    Attributes:
        batches: how many it has learned from.
        training: the seconds that this took.
        seconds: the same with validation.
    """

    def __init__(self) -> None:
        # On a CPU it leaves one core idle, whatever OMP_NUM_THREADS says.
        self.threads = torch.get_num_threads()
        self.batches = 0
        self.training = self.seconds = 0.0

    def start(self, _: object) -> None:
        """The first epoch is about to begin."""
        torch.set_num_threads(self.threads)
        self.began = time.perf_counter()

    def start_epoch(self, _: object) -> None:
        """An epoch begins."""
        self.epoch_began = time.perf_counter()

    def count(self, _: object) -> None:
        """A batch is done."""
        self.batches += 1

    def end_epoch(self, _: object) -> None:
        """An epoch is over, but for its validation."""
        self.training += time.perf_counter() - self.epoch_began

    def save(self, _: object) -> None:
        """The weights of an epoch are on the disk."""
        self.seconds = time.perf_counter() - self.began

    def callbacks(self) -> dict[str, Any]:
        """By the names of Ultralytics' events."""
        return {
            "on_train_start": self.start,
            "on_train_epoch_start": self.start_epoch,
            "on_train_batch_end": self.count,
            "on_train_epoch_end": self.end_epoch,
            "on_model_save": self.save,
        }


def train(
    model: str, seed: int, input_size: int, seconds: float, photos: Path, packages: Path, runs: Path
) -> dict[str, Any]:
    """Train, and write what is found in the test photos into `runs`, for `read_found`.

    Args:
        model: one of ARCHITECTURES.
        seed: another one is another training.
        input_size: the side of the network's input, in pixels.
        seconds: how long it may take, from the first epoch on.
        photos: the `data.yaml` that says where they are.
        packages: where Ultralytics is installed.
        runs: a folder of this training's own.

    Returns:
        What it took, and what Ultralytics says of it, by the names that `Training` has for them.
    """
    clock = Clock()
    peer.make_importable(packages, runs)
    from ultralytics import YOLO

    network = YOLO(ARCHITECTURES[model])
    for event, callback in clock.callbacks().items():
        network.add_callback(event, callback)
    shared = {"data": str(photos), "imgsz": input_size, "device": "cpu", "project": str(runs)}
    shared |= {"plots": False, "verbose": False}
    limits = {"time": seconds / 3600, "cache": "ram", "val": False}
    network.train(**shared, **limits, name="train", pretrained=False, seed=seed)
    loader = network.trainer.train_loader
    learned = round(clock.batches / len(loader) * len(loader.dataset))
    found = network.val(**shared, name="test", split="test", save_txt=True, save_conf=True)
    return {
        "seconds": clock.seconds,
        "photos": learned,
        "per_second": learned / clock.training,
        "own_ap": float(found.box.map),
        "own_ap50": float(found.box.map50),
    }


def read_found(folder: Path, runs: Path) -> list[Detections]:
    """What was found in each test photo of a VOC folder, from all scores that its own AP counts."""
    found = []
    for annotation in voc.read_split(folder, "test", voc.read_classes(folder)):
        path = runs / "test" / "labels" / f"{annotation.image_id}.txt"
        # Class, cxcywh, normalized, score; there is no file where nothing was found.
        rows = np.loadtxt(path, ndmin=2) if path.exists() else np.empty((0, 6))
        rows = rows[np.argsort(-rows[:, 5], kind="stable")]
        cxcywh_pixels = rows[:, 1:5] * ((annotation.width, annotation.height) * 2)
        class_ids = rows[:, 0].astype(np.int64)
        found.append(Detections(cxcywh_to_xyxy(cxcywh_pixels), rows[:, 5], class_ids))
    return found
