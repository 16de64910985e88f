"""Training photos by their turn in an epoch."""

import pickle
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from yolox.data import MosaicDetection

from dminity.data import voc
from dminity.detection.letterbox import fit, letterbox
from dminity.detection.unknown import ANYTHING, bits_of
from dminity.loader import training_photos
from dminity.loader.augmentation import MAX_LABELS
from dminity.loader.batches import Turn, epoch_order
from dminity.loader.photo_cache import PhotoCache
from dminity.loader.training_photos import (
    LabeledPhotos,
    TrainingPhotos,
    seeded,
)
from dminity.loader.unknown import Unknown
from dminity.training.loaders import start_worker
from tests.helpers.augmentations import augmentations
from tests.helpers.yolox_loader import yolox_loader

COUNT = 11
INPUT_SIZE = (96, 96)
SETTINGS = augmentations(mosaic=0.8, mixup=0.5, hsv=1.0, flip=0.5, seed=4)
EPOCH = [Turn(2, position) for position in range(COUNT)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VOC folder of photos, most smaller than the input, some without boxes."""
    folder = tmp_path_factory.mktemp("voc")
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    ids = [f"{number:016x}" for number in range(COUNT)]
    for number, image_id in enumerate(ids):
        height, width = (int(side) for side in rng.integers(30, 120, 2))
        coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        photo = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(voc.photo_path(folder, image_id)), photo)
        box = (0.1 * width, 0.2 * height, 0.8 * width, 0.7 * height)
        objects = (
            voc.VocObject("Sink", box),
            voc.VocObject("Bed", (0, 0, width, height / 2), difficult=True),
        )
        some, unverified = objects[number % 3 == 0 :], ("Sink",) * (number % 2)
        annotation = voc.Annotation(image_id, width, height, some, unverified)
        voc.write(annotation, folder / "Annotations" / f"{image_id}.xml")
    (folder / "ImageSets" / "Main" / "train.txt").write_text("\n".join(ids))
    return folder


@pytest.fixture(scope="module")
def photos(folder: Path) -> LabeledPhotos:
    """The photos of that folder."""
    return LabeledPhotos(folder, "train", ("Bed", "Sink"), INPUT_SIZE, "ignore")


def assert_equal(
    found: Sequence[tuple[torch.Tensor, ...]], expected: Sequence[tuple[torch.Tensor, ...]]
) -> None:
    """Items are equal to the bit."""
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_photos_and_labels_fit_the_input(folder: Path, photos: LabeledPhotos) -> None:
    annotations = voc.read_split(folder, "train", ("Bed", "Sink"))
    for index, annotation in enumerate(annotations):
        pixels, labels = photos.pixels(index), photos.labels(index)
        assert pixels.shape[:2] == photos.size(index)
        assert max(pixels.shape) in (95, 96)  # 94 * (96 / 94) is just below 96
        wanted = [item for item in annotation.objects if not item.difficult]
        scale = 96 / max(annotation.height, annotation.width)
        assert labels.shape == (len(wanted), 5)
        for row, item in zip(labels, wanted, strict=True):
            np.testing.assert_allclose(row[:4], np.multiply(item.xyxy_pixels, scale), rtol=1e-6)
            assert row[4] == 1


def test_an_annotation_of_another_size_is_named(folder: Path) -> None:
    photos = LabeledPhotos(folder, "train", ("Bed", "Sink"), INPUT_SIZE, "ignore")
    known = photos.annotations[3]
    photos.annotations[3] = replace(known, width=1, height=2)
    sizes = (
        rf"3\.jpg is {known.width} x {known.height} pixels when upright, its annotation says 1 x 2"
    )
    with pytest.raises(voc.SizeMismatch, match=rf"{sizes}; run `dvc repro voc`"):
        photos.pixels(3)


def test_items_do_not_depend_on_order_workers_or_cache(
    folder: Path, photos: LabeledPhotos, tmp_path: Path
) -> None:
    plain = TrainingPhotos(photos, SETTINGS, plain_from=9)
    expected = [plain[turn] for turn in EPOCH]
    assert [item[0].dtype for item in expected] == [torch.uint8] * COUNT
    assert expected[0][0].shape == (96, 96, 3)
    assert expected[0][1].shape == (MAX_LABELS, 5)
    # The difficult ones, and what nobody looked for in every other photo.
    assert {item[2].shape for item in expected} == {(24, 24)}
    bits = set(torch.cat([item[2].flatten() for item in expected]).tolist())
    assert {0, ANYTHING, bits_of([1]), bits_of([1]) | ANYTHING} <= bits

    backwards = TrainingPhotos(photos, SETTINGS, plain_from=9)
    backwards[Turn(5, 3)]
    assert_equal([backwards[turn] for turn in EPOCH[::-1]], expected[::-1])

    sizes = photos.sizes
    half = sum(height * width * 3 for height, width in sizes[: COUNT // 2])
    for budget in (half, 2 * half + 10**6):
        cache = PhotoCache(tmp_path / str(budget), sizes, budget)
        kept = LabeledPhotos(folder, "train", ("Bed", "Sink"), INPUT_SIZE, "ignore")
        kept.keep_in(cache)
        cached = TrainingPhotos(kept, SETTINGS, plain_from=9)
        for workers in (0, 1, 2):
            loader = DataLoader(
                cached, None, sampler=EPOCH, num_workers=workers, worker_init_fn=start_worker
            )
            assert_equal(list(map(tuple, loader)), expected)
        copied = pickle.loads(pickle.dumps(cached))
        assert_equal([copied[turn] for turn in EPOCH], expected)


def test_the_next_epoch_and_another_seed_are_other(photos: LabeledPhotos) -> None:
    items = TrainingPhotos(photos, SETTINGS, plain_from=9)
    other = TrainingPhotos(photos, SETTINGS.model_copy(update={"seed": 5}), plain_from=9)
    index = epoch_order(COUNT, SETTINGS.seed, 2)[0]
    again = Turn(3, int(np.flatnonzero(epoch_order(COUNT, SETTINGS.seed, 3) == index)[0]))
    assert not torch.equal(items[EPOCH[0]][0], items[again][0])
    assert not torch.equal(items[EPOCH[0]][0], other[EPOCH[0]][0])


def test_partners_are_neighbors_as_yolox_would_draw_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_photos, "NEIGHBORS", 4)
    photos = LabeledPhotos(folder, "train", ("Bed", "Sink"), INPUT_SIZE, "ignore")
    items = TrainingPhotos(photos, SETTINGS, plain_from=9)
    order = epoch_order(COUNT, SETTINGS.seed, 2).tolist()
    for start, end in ((0, 4), (4, 8), (8, 11)):
        block = order[start:end]
        yolox = yolox_over(photos, block)
        for number, index in enumerate(block):
            with seeded(SETTINGS.seed, 2, index):
                image, targets, _, _ = yolox[number]
            found_image, found_targets, _ = items[Turn(2, start + number)]
            np.testing.assert_array_equal(found_image.permute(2, 0, 1), image)
            np.testing.assert_allclose(found_targets, targets, rtol=1e-6, atol=1e-4)
    assert len(items.photos.recent) == 4


def yolox_over(photos: LabeledPhotos, block: list[int]) -> MosaicDetection:
    """YOLOX's own mosaic over some of the photos."""

    class Some:
        input_dim = INPUT_SIZE

        def __len__(self) -> int:
            return len(block)

        def load_anno(self, number: int) -> np.ndarray:
            return photos.labels(block[number]).copy()

        def pull_item(self, number: int) -> tuple[np.ndarray, np.ndarray, None, int]:
            return photos.decoded(block[number]), self.load_anno(number), None, number

    return yolox_loader(Some(), INPUT_SIZE, SETTINGS)


def test_blocks_are_nearly_equal_and_cover_the_epoch(
    photos: LabeledPhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_photos, "NEIGHBORS", 5)
    items = TrainingPhotos(photos, SETTINGS, plain_from=9)
    found = [items.neighbors(turn) for turn in EPOCH]
    assert [len(block) for block, _ in found] == [4] * 8 + [3] * 3
    order = epoch_order(COUNT, SETTINGS.seed, 2).tolist()
    assert [block.indices[number] for block, number in found] == order
    assert [items.image_id(turn) for turn in EPOCH] == [
        photos.annotations[index].image_id for index in order
    ]


def test_without_mosaic_photos_are_whole(photos: LabeledPhotos) -> None:
    still = SETTINGS.model_copy(update={"mosaic": 1.0, "mixup": 1.0, "hsv": 0.0, "flip": 0.0})
    items = TrainingPhotos(photos, still, plain_from=2)
    for turn, index in zip(EPOCH, epoch_order(COUNT, SETTINGS.seed, 2), strict=True):
        np.testing.assert_array_equal(items[turn][0], letterbox(photos.pixels(index), INPUT_SIZE))
    index = epoch_order(COUNT, SETTINGS.seed, 1)[0]
    mosaic, _, _ = items[Turn(1, 0)]
    assert not np.array_equal(mosaic, letterbox(photos.pixels(index), INPUT_SIZE))


def test_where_all_is_known_there_are_no_maps(
    folder: Path, photos: LabeledPhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = LabeledPhotos(folder, "train", ("Bed", "Sink"), INPUT_SIZE, "ignore")
    monkeypatch.setattr(known, "all_unknown", [Unknown.joined(())] * COUNT)
    items = TrainingPhotos(known, SETTINGS, plain_from=9)
    with_maps = TrainingPhotos(photos, SETTINGS, plain_from=9)
    assert [items[turn][2].shape for turn in EPOCH] == [(0, 0)] * COUNT
    # Nothing else is drawn otherwise.
    assert_equal([items[turn][:2] for turn in EPOCH], [with_maps[turn][:2] for turn in EPOCH])
    (images, _, maps) = next(iter(DataLoader(items, COUNT, sampler=EPOCH)))
    assert (len(images), maps.shape) == (COUNT, (COUNT, 0, 0))


def test_photos_are_decoded_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []

    def counted(photo: np.ndarray, input_size: tuple[int, int]) -> np.ndarray:
        decoded.append(photo)
        return fit(photo, input_size)

    monkeypatch.setattr(training_photos, "fit", counted)
    photos = LabeledPhotos(folder, "train", ("Bed", "Sink"), INPUT_SIZE, "ignore")
    items = TrainingPhotos(photos, SETTINGS, plain_from=9)
    for turn in EPOCH:
        items[turn]
    assert 0 < len(decoded) <= COUNT


def test_seeding_leaves_no_trace() -> None:
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    with seeded(1, 2, 3):
        first = random.random(), np.random.random()
    assert (random.random(), np.random.random()) == expected
    with seeded(1, 2, 3):
        assert (random.random(), np.random.random()) == first
    with seeded(1, 3, 2):
        assert (random.random(), np.random.random()) != first


def test_a_photo_that_comes_again_in_an_epoch_is_changed_otherwise(photos: LabeledPhotos) -> None:
    settings = SETTINGS.model_copy(update={"sampling": "classes", "hsv": 1.0, "mosaic": 0.0})
    items = TrainingPhotos(photos, settings, plain_from=9)
    turns: dict[str, list[Turn]] = {}
    for epoch in range(6):
        for position in range(COUNT):
            turn = Turn(epoch, position)
            turns.setdefault(f"{epoch}/{items.image_id(turn)}", []).append(turn)
    first, second = next(several for several in turns.values() if len(several) > 1)[:2]
    assert not torch.equal(items[first][0], items[second][0])
    # Whoever asks in another order gets the same.
    again = TrainingPhotos(photos, settings, plain_from=9)
    assert_equal([again[second], again[first]], [items[second], items[first]])


def test_only_photos_with_a_class_are_sampled_by_class(photos: LabeledPhotos) -> None:
    items = TrainingPhotos(photos, SETTINGS.model_copy(update={"sampling": "classes"}), 9)
    seen = {items.image_id(turn) for turn in EPOCH}
    with_class = {
        annotation.image_id
        for annotation, labels in zip(photos.annotations, photos.all_labels, strict=True)
        if len(labels)
    }
    assert seen == with_class
