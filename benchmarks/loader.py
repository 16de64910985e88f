"""How fast training photos are made, against YOLOX's own loader: images per second of one core.

    make benchmarks

Mosaic, colors and flips at 640 pixels, no mixup; one thread. Each loader has a process of its own,
and they take turns of a second, so that a busy machine slows all of them alike. Time is that of
the processor. Trust the ratios: images per second are those of one machine in one hour.
"""

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

import cv2

from benchmarks.table import print_table
from dminity.core.amenities import NAMES
from dminity.loader.batches import epoch_batches, epoch_order
from dminity.loader.photo_cache import PhotoCache
from dminity.loader.photos import Image, Labels
from dminity.loader.training_photos import LabeledPhotos, TrainingPhotos
from tests.helpers.augmentations import augmentations
from tests.helpers.room_folder import make_room_folder
from tests.helpers.yolox_loader import yolox_loader

ROOMS = 256
INPUT_SIZE = (640, 640)
BATCH = 8
WORKERS = 4
CHUNK = 64  # images that a loader makes before it is another's turn: caches are warm for most
ROUNDS = 10
SETTINGS = augmentations(mosaic=1.0, mixup=0.0, hsv=1.0, flip=0.5)
ALWAYS = sys.maxsize  # the epoch in which mosaic ends


class PhotosForYolox:
    """The photos as YOLOX's mosaic asks for them; `in_memory`, as its own RAM cache has them."""

    def __init__(self, photos: LabeledPhotos, in_memory: bool) -> None:
        self.photos = photos
        self.input_dim = photos.input_size
        self.kept = [photos.decoded(index) for index in range(len(photos))] if in_memory else []

    def __len__(self) -> int:
        return len(self.photos)

    def pull_item(self, index: int) -> tuple[Image, Labels, tuple[int, ...], int]:
        """A photo that is the caller's, its labels, size and index."""
        photo = self.kept[index].copy() if self.kept else self.photos.decoded(index)
        return photo, self.photos.labels(index), photo.shape[:2], index


def main() -> None:
    """Make the rooms and compare the loaders."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = make_room_folder(Path(temporary) / "voc", {"train": ROOMS}, side=640)
        compare(folder, Path(temporary) / "photos")


def compare(folder: Path, cached: Path) -> None:
    """Let the loaders take turns on the photos of a VOC folder."""
    photos = LabeledPhotos(folder, "train", NAMES, INPUT_SIZE, "ignore")
    cache = PhotoCache(cached, photos.sizes, sys.maxsize)
    for index in range(len(photos)):
        cache.put(index, photos.decoded(index))
    loaders: dict[str, Callable[[], Iterator[object]]] = {
        "YOLOX": partial(yolox_items, photos, in_memory=False),
        "dminity": partial(our_items, photos, None),
        f"dminity, 1 of {WORKERS} workers": partial(our_items, photos, None, WORKERS),
        "YOLOX, photos in RAM": partial(yolox_items, photos, in_memory=True),
        "dminity, shared cache": partial(our_items, photos, cache),
    }
    print_table(take_turns(loaders), ["YOLOX", "YOLOX, photos in RAM"], CHUNK)
    megabytes = os.fstat(cache.file).st_blocks * 512 / 1e6
    print(f"\nThe shared cache, full, takes {megabytes:.0f} MB for {ROOMS} photos.")


def yolox_items(photos: LabeledPhotos, in_memory: bool) -> Iterator[object]:
    """Items of YOLOX's loader without end; partners come from all photos."""
    loader = yolox_loader(PhotosForYolox(photos, in_memory), INPUT_SIZE, SETTINGS)
    for epoch in count():
        for index in epoch_order(len(photos), SETTINGS.seed, epoch).tolist():
            yield loader[index]


def our_items(
    photos: LabeledPhotos, cache: PhotoCache | None, workers: int = 1
) -> Iterator[object]:
    """Items of our loader without end: what the first of so many workers has to make."""
    if cache:
        photos.keep_in(cache)  # this process's own
    loader = TrainingPhotos(photos, SETTINGS, ALWAYS)
    for epoch in count():
        for batch in epoch_batches(len(photos), BATCH, epoch)[::workers]:
            for turn in batch:
                yield loader[turn]


def take_turns(loaders: dict[str, Callable[[], Iterator[object]]]) -> dict[str, list[float]]:
    """The seconds that each loader took for its chunk in every round; the first does not count."""
    context = multiprocessing.get_context("fork")
    turns = {}
    for name, make_items in loaders.items():
        turns[name], theirs = context.Pipe()
        context.Process(target=make_chunks, args=(theirs, make_items), daemon=True).start()
    seconds: dict[str, list[float]] = {name: [] for name in loaders}
    for _ in range(1 + ROUNDS):
        for name, turn in turns.items():
            turn.send(CHUNK)
            seconds[name].append(turn.recv())
    return {name: chunks[1:] for name, chunks in seconds.items()}


def make_chunks(turn: Connection, make_items: Callable[[], Iterator[object]]) -> None:
    """Make as many items as the other side asks for, and answer with the seconds it took."""
    items = make_items()
    while True:
        wanted = turn.recv()
        start = time.process_time()
        for _ in range(wanted):
            next(items)
        turn.send(time.process_time() - start)


if __name__ == "__main__":
    main()
