"""Many pictures: in their order, a few at a time, and what ends them."""

import itertools
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from dminity.detection.detections import Detections
from dminity.detection.kinds import most_specific
from dminity.runtime.detector import OnnxDetector, load_onnx
from dminity.runtime.finding import (
    IN_FLIGHT,
    LITTLE_MEMORY,
    BoxThresholds,
    Failed,
    Seen,
    find_all,
    from_thresholds,
    on_copy,
)
from dminity.runtime.inputs import Picture
from dminity.runtime.photo import BadPhoto, Photo
from tests.helpers.onnx_models import write_bright_model

THREADS = 3
HALF = BoxThresholds((0.5, 0.5))


@pytest.fixture
def detector(tmp_path: Path) -> OnnxDetector:
    """One that sees a bed where the left half is bright."""
    return load_onnx(write_bright_model(tmp_path / "model.onnx"), threads=1)


def photo(width: int, height: int = 64) -> Photo:
    """A photo whose left half is bright."""
    bgr = np.zeros((height, width, 3), np.uint8)
    bgr[:, : width // 2] = 240
    return Photo(bgr, height, width)


def nothing(picture: Picture, photo: Photo, found: Detections) -> None:
    """What is made of a picture: nothing."""


def test_results_come_in_order_and_failures_among_them(detector: OnnxDetector) -> None:
    first_may_end = threading.Event()

    def read(number: int, _: tuple[int, int]) -> Photo:
        if number == 0:
            first_may_end.wait(60)
        if number == 4:
            first_may_end.set()
            raise BadPhoto("spoiled")
        return photo(64 + number)

    def all_pictures() -> Iterator[Picture]:
        for number in range(20):
            yield Picture(str(number), partial(read, number))

    results = list(find_all(all_pictures(), detector, HALF, nothing, THREADS))
    assert [result.name for result in results] == [str(number) for number in range(20)]
    assert results[4] == Failed("4", "spoiled")
    for number in (0, 19):
        seen = results[number]
        assert isinstance(seen, Seen)
        assert (seen.width, seen.found.class_ids.tolist()) == (64 + number, [0])


def test_a_few_pictures_are_in_memory_at_a_time(detector: OnnxDetector) -> None:
    taken = 0

    def all_pictures() -> Iterator[Picture]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield Picture("a", lambda _: photo(64))

    results = find_all(all_pictures(), detector, HALF, nothing, THREADS)
    for done, _ in enumerate(itertools.islice(results, 50), start=1):
        assert taken <= done + IN_FLIGHT * THREADS
    del results
    assert taken < 100


def test_an_error_ends_all(detector: OnnxDetector) -> None:
    made = []

    def make(picture: Picture, _: Photo, __: Detections) -> None:
        if picture.name == "3":
            raise OSError(28, "No space left on device")
        made.append(picture.name)

    numbered = (Picture(str(number), lambda _: photo(64)) for number in range(1000))
    with pytest.raises(OSError, match="No space left"):
        list(find_all(numbered, detector, HALF, make, THREADS))
    assert {"0", "1", "2"} <= set(made)
    assert len(made) < 20


def test_a_photo_that_memory_is_too_little_for_does_not_end_the_others(
    detector: OnnxDetector,
) -> None:
    def read(_: tuple[int, int]) -> Photo:
        raise MemoryError

    pictures = [Picture("huge", read), Picture("small", lambda _: photo(64))]
    huge, small = find_all(pictures, detector, HALF, nothing, THREADS)
    assert huge == Failed("huge", LITTLE_MEMORY)
    assert isinstance(small, Seen)


def test_boxes_are_in_pixels_of_the_photo_not_of_its_copy(detector: OnnxDetector) -> None:
    copy = photo(100, 100)
    original = Photo(copy.bgr, 400, 400)
    made = []

    def make(_: Picture, read: Photo, found: Detections) -> None:
        made.append(on_copy(found.xyxy_pixels, read))

    (seen,) = find_all([Picture("a", lambda _: original)], detector, HALF, make, 1)
    assert isinstance(seen, Seen)
    assert seen.found.xyxy_pixels.tolist() == [[0, 0, 200, 400]]
    assert made[0].tolist() == [[0, 0, 50, 100]]


def test_each_class_has_its_threshold(detector: OnnxDetector) -> None:
    bright = Photo(np.full((64, 64, 3), 204, np.uint8), 64, 64)
    for thresholds, classes in (
        ((0.79, 0.79), [0, 1]),
        ((0.81, 0.79), [1]),
        ((0.79, np.inf), [0]),
    ):
        picture = Picture("a", lambda _: bright)
        (seen,) = find_all([picture], detector, BoxThresholds(thresholds), nothing, 1)
        assert isinstance(seen, Seen)
        assert sorted(seen.found.class_ids.tolist()) == classes


CLASSES = ("Couch", "Sofa bed", "Bed")


def found(*boxes: tuple[str, float, int]) -> Detections:
    """Detections: class, score, and how many pixels to the right."""
    left = np.array([left for _, _, left in boxes], np.float64)
    return Detections(
        np.stack([left, 0 * left, left + 10, 0 * left + 10], axis=1),
        np.array([score for _, score, _ in boxes]),
        np.array([CLASSES.index(name) for name, _, _ in boxes], np.int64),
    )


@pytest.mark.parametrize(
    ("thresholds", "scores"),
    [
        # The best of each class from its threshold on, others from there and from 0.4 on.
        (BoxThresholds((0.1, 0.1, 0.1)), [0.9, 0.4, 0.3]),
        (BoxThresholds((0.1, 0.1, 0.5)), [0.9, 0.3]),
        (BoxThresholds((0.35, 0.1, 0.1)), [0.9, 0.4]),
        (BoxThresholds((0.1, 0.1, np.inf)), [0.3]),
        # A user's own score holds for all.
        (BoxThresholds((0.2, 0.2, 0.2), 0.2), [0.9, 0.4, 0.39, 0.3, 0.29]),
    ],
)
def test_a_second_one_has_to_be_surer(thresholds: BoxThresholds, scores: list[float]) -> None:
    beds = (("Bed", 0.9, 0), ("Bed", 0.4, 100), ("Bed", 0.39, 200))
    couches = (("Couch", 0.3, 300), ("Couch", 0.29, 400))
    assert from_thresholds(found(*beds, *couches), thresholds).scores.tolist() == scores


def test_what_is_not_sure_enough_hides_no_other_name() -> None:
    # At the second place a sofa bed would hide the couch, were it sure enough to be reported.
    there = found(
        ("Sofa bed", 0.8, 0), ("Couch", 0.75, 0), ("Couch", 0.7, 50), ("Sofa bed", 0.38, 50)
    )
    sure = from_thresholds(there, BoxThresholds((0.2, 0.2, 0.2)))
    named = most_specific(sure, CLASSES)
    assert [CLASSES[number] for number in named.class_ids] == ["Sofa bed", "Couch"]
    assert named.xyxy_pixels[:, 0].tolist() == [0, 50]
