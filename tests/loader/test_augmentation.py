"""Augmentation against YOLOX's own: the same seeds, the same boxes, the same pixels."""

import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dminity.detection.letterbox import fit
from dminity.loader.augmentation import MAX_LABELS, Augmentation
from dminity.loader.photos import Image, Labels
from dminity.loader.settings import AugmentationSettings
from dminity.loader.unknown import Unknown
from tests.helpers.augmentations import augmentations
from tests.helpers.yolox_loader import yolox_loader


@dataclass
class Gallery:
    """Photos and labels in memory, as our augmentation and YOLOX's ask for them."""

    photos: list[NDArray[np.uint8]]
    all_labels: list[NDArray[np.float32]]
    input_dim: tuple[int, int]

    def __len__(self) -> int:
        return len(self.photos)

    def size(self, index: int) -> tuple[int, int]:
        """Height and width of a photo."""
        height, width, _ = self.photos[index].shape
        return height, width

    def labels(self, index: int) -> NDArray[np.float32]:
        """A photo's labels, read-only."""
        return self.all_labels[index]

    def unknown(self, index: int) -> Unknown:
        """Nothing is."""
        return Unknown.joined(())

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """A photo, read-only."""
        return self.photos[index]

    def load_anno(self, index: int) -> NDArray[np.float32]:
        """YOLOX's `labels`."""
        return self.all_labels[index].copy()

    def pull_item(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], None, int]:
        """YOLOX's `pixels` and `labels`."""
        return self.photos[index].copy(), self.load_anno(index), None, index


def gallery(input_size: tuple[int, int], sizes: list[tuple[int, int]], seed: int) -> Gallery:
    """Noisy photos of such original sizes, with none to three boxes in each; one has a box."""
    rng = np.random.default_rng(seed)
    photos, all_labels = [], []
    for number, size in enumerate(sizes):
        photo = fit(rng.integers(0, 256, (*size, 3), dtype=np.uint8), input_size)
        count = rng.integers(number == 0, 4)
        corners = np.sort(rng.random((count, 2, 2)), axis=1) * photo.shape[1::-1]
        # Some boxes of less than a pixel.
        corners[:, 1] -= np.diff(corners, axis=1)[:, 0] * (rng.random((count, 1)) < 0.2) * 0.999
        labels = np.column_stack((corners.reshape(-1, 4), rng.integers(0, 9, count)))
        for array in (photo, labels):
            array.flags.writeable = False
        photos.append(photo)
        all_labels.append(labels.astype(np.float32))
    return Gallery(photos, all_labels, input_size)


def both(
    photos: Gallery, settings: AugmentationSettings, index: int, seed: int, with_mosaic: bool = True
) -> tuple[tuple[NDArray[np.float32], NDArray[np.float32]], tuple[Image, Labels]]:
    """An image and its targets by YOLOX and by us, from one seed; all numbers drawn are used up."""
    theirs = yolox_loader(photos, photos.input_dim, settings, with_mosaic)
    random.seed(seed)
    np.random.seed(seed)
    expected = theirs[index][:2]
    after = random.random(), np.random.random()
    random.seed(seed)
    np.random.seed(seed)
    image, labels, unknown = Augmentation(photos.input_dim, settings)(photos, index, with_mosaic)
    assert not len(unknown.bits)
    assert (random.random(), np.random.random()) == after
    return expected, (image, labels)


def assert_same(
    expected: tuple[NDArray[np.float32], NDArray[np.float32]], found: tuple[Image, Labels]
) -> None:
    """Images are equal to the bit; boxes but for the rounding of float32."""
    image, targets = found
    assert image.dtype == np.uint8
    assert targets.dtype == np.float32
    np.testing.assert_array_equal(image.transpose(2, 0, 1), expected[0])
    np.testing.assert_allclose(targets, expected[1], rtol=1e-6, atol=1e-4)


probability = st.sampled_from([0.0, 0.5, 1.0])
side = st.integers(8, 150)


@given(
    st.builds(
        augmentations,
        mosaic=probability,
        mixup=probability,
        hsv=probability,
        flip=probability,
    ),
    st.sampled_from([(96, 96), (64, 96), (128, 96), (320, 320)]),
    st.lists(st.tuples(side, side), min_size=1, max_size=5),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_images_and_targets_are_those_of_yolox(
    settings: AugmentationSettings,
    input_size: tuple[int, int],
    sizes: list[tuple[int, int]],
    seed: int,
    with_mosaic: bool,
) -> None:
    photos = gallery(input_size, sizes, seed)
    assert_same(*both(photos, settings, seed % len(photos), seed, with_mosaic))


@pytest.mark.parametrize("mixup", [0.0, 1.0])
def test_many_seeds_of_full_mosaic_agree(mixup: float) -> None:
    settings = augmentations(mosaic=1.0, mixup=mixup, hsv=1.0, flip=0.5)
    photos = gallery((192, 192), [(60, 80), (80, 60), (75, 75), (300, 451), (107, 64)], seed=1)
    for seed in range(200):
        assert_same(*both(photos, settings, seed % len(photos), seed))


@pytest.mark.parametrize("size", [(64, 64), (40, 64), (7, 9), (77, 200)])
@pytest.mark.parametrize(
    "boxes", [[], [[3, 3, 3.5, 30, 1]], [[2, 2, 30, 20, 1], [3, 3, 3.5, 30, 2]]]
)
def test_photos_without_or_with_thin_boxes_are_left_as_yolox_leaves_them(
    size: tuple[int, int], boxes: list[list[float]]
) -> None:
    settings = augmentations(mosaic=0.0, mixup=0.0, hsv=1.0, flip=1.0)
    photos = gallery((64, 64), [size], seed=1)
    photos.all_labels[0] = np.array(boxes, np.float32).reshape(-1, 5)
    expected, found = both(photos, settings, 0, seed=3)
    assert_same(expected, found)
    unchanged = np.array_equal(found[0][: photos.size(0)[0], : photos.size(0)[1]], photos.photos[0])
    assert unchanged == (len(boxes) < 2)
    assert np.count_nonzero(found[1].any(axis=1)) == min(len(boxes), 1)


def test_an_image_belongs_to_the_caller() -> None:
    photos = gallery((64, 64), [(64, 64)], seed=1)
    for mosaic in (0.0, 1.0):
        settings = augmentations(mosaic=mosaic, mixup=0.0, hsv=0.0, flip=0.0)
        augmentation = Augmentation((64, 64), settings)
        first, _, _ = augmentation(photos, 0, with_mosaic=True)
        kept = first.copy()
        augmentation(photos, 0, with_mosaic=True)[0][:] = 0
        np.testing.assert_array_equal(first, kept)
        assert photos.photos[0].any()


def test_more_labels_than_targets_hold_are_cut() -> None:
    photos = gallery((64, 64), [(64, 64)], seed=1)
    photos.all_labels[0] = np.tile(np.array([[1, 1, 60, 60, 4]], np.float32), (MAX_LABELS + 10, 1))
    settings = augmentations(mosaic=1.0, mixup=0.0, hsv=0.0, flip=0.5)
    assert_same(*both(photos, settings, 0, seed=1))
