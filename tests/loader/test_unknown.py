"""What is unknown of an image goes where its pixels go."""

import random
from itertools import combinations_with_replacement

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dminity.data.voc import Annotation, VocObject
from dminity.detection.boxes import mirror_xyxy
from dminity.detection.letterbox import GRAY
from dminity.detection.unknown import ANYTHING, SPACING, TooManyClasses, bits_of
from dminity.loader.augmentation import Augmentation
from dminity.loader.photos import Image, Labels, Size
from dminity.loader.unknown import Unknown, fitted_unknown
from tests.helpers.augmentations import augmentations

CLASSES = {"Bed": 0, "Sink": 1, "Oven": 2}


class ColoredPhotos:
    """Photos whose colors say what is unknown of them: one of the photo, another of its group."""

    def __init__(self, sizes: list[Size], seed: int) -> None:
        self.sizes = sizes
        rng = np.random.default_rng(seed)
        # Any two of them have a mean of their own.
        reds = (3, 17, 60, 90, 150, 201, 229, 255)
        self.colors = np.array([(red, 2 * index, 255 - red) for index, red in enumerate(reds)])
        rng.shuffle(self.colors)
        self.bits = [bits_of(rng.choice(40, 3, replace=False).tolist()) for _ in sizes]
        self.groups = [self._group(size, rng) for size in sizes]

    def _group(self, size: Size, rng: np.random.Generator) -> list[int]:
        """A box in whole pixels of a photo of this size: xyxy."""
        height, width = size
        left, top = int(rng.integers(0, width // 2)), int(rng.integers(0, height // 2))
        return [left, top, left + width // 2, top + height // 2]

    def __len__(self) -> int:
        return len(self.sizes)

    def size(self, index: int) -> Size:
        """Height and width of a photo."""
        return self.sizes[index]

    def labels(self, index: int) -> Labels:
        """One box, so that mixup and flips take place."""
        height, width = self.sizes[index]
        return np.array([[0, 0, width, height, 1]], np.float32)

    def unknown(self, index: int) -> Unknown:
        """Some classes everywhere, anything in the group."""
        height, width = self.sizes[index]
        boxes = np.array([[0, 0, width, height], self.groups[index]], float)
        return Unknown.of(boxes, (self.bits[index], ANYTHING))

    def pixels(self, index: int) -> Image:
        """A photo of two colors."""
        left, top, right, bottom = self.groups[index]
        photo = np.full((*self.sizes[index], 3), self.colors[2 * index], np.uint8)
        photo[top:bottom, left:right] = self.colors[2 * index + 1]
        return photo

    def meanings(self) -> dict[tuple[int, ...], int]:
        """What is unknown where an image has a color: that of one place, or the mean of two."""
        known: dict[tuple[int, ...], int] = {(GRAY,) * 3: 0, (0, 0, 0): 0}
        for index, bits in enumerate(self.bits):
            known[tuple(self.colors[2 * index].tolist())] = bits
            known[tuple(self.colors[2 * index + 1].tolist())] = bits | ANYTHING
        found = {color: bits for color, bits in known.items() if any(color)}
        for one, other in combinations_with_replacement(known, 2):
            mean = tuple((np.add(one, other) // 2).tolist())
            assert found.get(mean, known[one] | known[other]) == known[one] | known[other]
            found[mean] = known[one] | known[other]
        return found


def plain_points(image: Image) -> NDArray[np.bool_]:
    """Which points of an image's map, but for those on the edge, have one color around them."""
    height, width = (side - SPACING + 1 for side in image.shape[:2])
    around = np.stack(
        [
            image[SPACING + y : height + y : SPACING, SPACING + x : width + x : SPACING]
            for y in (-3, -1, 0, 2)
            for x in (-3, -1, 0, 2)
        ]
    )
    same: NDArray[np.bool_] = (around == around[0]).all(axis=(0, 3))
    return same


@given(
    st.lists(st.integers(30, 96), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from([0.0, 1.0]),
    st.integers(0, 2**32 - 1),
)
def test_the_map_says_of_every_pixel_what_its_color_says(
    widths: list[int], mosaic: bool, mixup: float, seed: int
) -> None:
    # One side of a photo is that of the input, as it is of photos that are fitted to it.
    photos = ColoredPhotos([(96, width) for width in widths], seed)
    settings = augmentations(mosaic=1.0, mixup=mixup, flip=0.5)
    random.seed(seed)
    np.random.seed(seed)
    image, _, unknown = Augmentation((96, 96), settings)(photos, seed % len(widths), mosaic)
    found = unknown.mapped((96, 96))
    assert found.dtype == np.int64
    assert found.shape == (24, 24)
    meanings, plain = photos.meanings(), plain_points(image)
    colors = image[SPACING::SPACING, SPACING::SPACING]
    expected = [meanings[tuple(color)] for color in colors[plain].tolist()]
    assert found[1:, 1:][plain].tolist() == expected


def test_what_mosaics_are_compared_by_is_no_small_part() -> None:
    """Of mosaics in a mixup, where the color of most points is that of some border."""
    told: set[int] = set()
    for seed in range(20):
        photos = ColoredPhotos([(96, 64), (96, 96), (96, 80), (96, 40)], seed)
        random.seed(seed)
        np.random.seed(seed)
        augmentation = Augmentation((96, 96), augmentations(mosaic=1.0, mixup=1.0))
        image, _, unknown = augmentation(photos, 0, with_mosaic=True)
        assert plain_points(image).mean() > 0.2
        told.update(unknown.mapped((96, 96)).ravel().tolist())
    assert len(told) > 20


box = st.tuples(*[st.integers(-50, 150)] * 4).map(
    lambda corners: [*np.minimum(corners[:2], corners[2:]), *np.maximum(corners[:2], corners[2:])]
)


@given(st.lists(st.tuples(box, st.integers(1, 2**62)), max_size=4))
def test_what_is_unknown_at_a_point_is_that_of_all_boxes_around_it(
    areas: list[tuple[list[int], int]],
) -> None:
    xyxy = np.array([corners for corners, _ in areas], float).reshape(-1, 4)
    unknown = Unknown.of(xyxy, [bits for _, bits in areas])
    expected = np.zeros((16, 24), np.int64)
    for (left, top, right, bottom), bits in areas:
        for row, column in np.ndindex(expected.shape):
            x, y = 4 * column, 4 * row
            if left < x < right and top < y < bottom:
                expected[row, column] |= bits
    np.testing.assert_array_equal(unknown.mapped((64, 96)), expected)
    for mirrored in (unknown.mirrored(96), Unknown.of(mirror_xyxy(xyxy, 96), unknown.bits)):
        found = mirrored.mapped((64, 96))
        np.testing.assert_array_equal(found[:, 1:], expected[:, :0:-1])
    larger = unknown.placed(2, 16, 8).mapped((136, 208))
    np.testing.assert_array_equal(larger[2:, 4:], unknown.placed(2, 0, 0).mapped((128, 192)))


@given(st.floats(-40, 40), st.floats(0.5, 1.5), st.floats(-30, 30), st.floats(-30, 30))
def test_an_affine_moves_areas_as_it_moves_pixels(
    degrees: float, scale: float, right: float, down: float
) -> None:
    matrix = np.array(cv2.getRotationMatrix2D((48, 48), degrees, scale), np.float64)
    matrix[:, 2] += np.array((right, down))
    painted = np.zeros((96, 96), np.uint8)
    painted[24:80, 16:56] = 255
    image = cv2.warpAffine(painted, matrix, (96, 96), flags=cv2.INTER_LINEAR)
    found = Unknown.of(np.array([[16.0, 24, 56, 80]]), [1]).warped(matrix).mapped((96, 96))
    # A point lies between four pixels, and what is seen of the edge is a pixel wide.
    around = np.ones((3, 3))
    inner = slice(SPACING, None, SPACING)
    assert (found[1:, 1:][cv2.erode(image, around)[inner, inner] == 255] == 1).all()
    assert (found[1:, 1:][cv2.dilate(image, around)[inner, inner] == 0] == 0).all()


def test_what_an_annotation_leaves_open() -> None:
    group = VocObject("Bed", (32.0, 32.0, 64.0, 64.0), difficult=True)
    sink = VocObject("Sink", (0.0, 0.0, 90.0, 60.0))
    annotation = Annotation("a", 128, 64, (group, sink), ("Oven", "Bed"))
    bits = bits_of([0, 2])
    for unverified, elsewhere in (("ignore", bits), ("absent", 0)):
        unknown = fitted_unknown(annotation, CLASSES, (64, 64), unverified)  # type: ignore[arg-type]
        expected = np.zeros((16, 16), np.int64)
        expected[1:8, 1:] = elsewhere
        expected[5:8, 5:8] |= ANYTHING
        np.testing.assert_array_equal(unknown.mapped((64, 64)), expected)
    known = fitted_unknown(Annotation("a", 128, 64, (sink,)), CLASSES, (64, 64), "ignore")
    assert not len(known.bits)


def test_there_is_room_for_so_many_classes() -> None:
    assert bits_of([61]) == 2**62
    with pytest.raises(TooManyClasses, match=r"62 classes, and class number 63.*unverified=absent"):
        bits_of([62])
    annotation = Annotation("a", 64, 64, (), ("last",))
    many = {str(number): number for number in range(79)} | {"last": 79}
    assert not len(fitted_unknown(annotation, many, (64, 64), "absent").bits)
