"""Rendered rooms: repeatable, true to their boxes, and of every class."""

from collections import Counter

import numpy as np
import pytest

from dminity.core.amenities import NAMES
from dminity.sources.rooms import scene

ROOMS = [f"{number * 7919:016x}" for number in range(120)]


@pytest.fixture(scope="module")
def described() -> list[list[scene.RoomBox]]:
    """The boxes of some rooms."""
    return [scene.describe(room) for room in ROOMS]


def test_a_room_is_the_same_every_time() -> None:
    assert scene.describe(ROOMS[0]) == scene.describe(ROOMS[0])
    np.testing.assert_array_equal(scene.render(ROOMS[0]), scene.render(ROOMS[0]))
    assert scene.describe(ROOMS[0]) != scene.describe(ROOMS[1])


def test_pictures_are_rgb_of_640_pixels() -> None:
    picture = scene.render(ROOMS[2])
    assert picture.dtype == np.uint8
    assert max(picture.shape[:2]) == 640
    assert picture.shape[2] == 3
    assert picture.std() > 10


def test_boxes_are_inside_the_picture_and_large_enough(
    described: list[list[scene.RoomBox]],
) -> None:
    for box in (box for boxes in described for box in boxes):
        assert 0 <= box.xmin < box.xmax <= 1
        assert 0 <= box.ymin < box.ymax <= 1
        assert min(box.xmax - box.xmin, box.ymax - box.ymin) > 0.01


def test_every_class_is_about_as_frequent_as_the_others(
    described: list[list[scene.RoomBox]],
) -> None:
    counts = Counter(box.label for boxes in described for box in boxes)
    assert set(counts) == set(NAMES)
    assert min(counts.values()) > counts.total() / len(NAMES) / 2


def test_flags_are_set_at_times(described: list[list[scene.RoomBox]]) -> None:
    boxes = [box for boxes in described for box in boxes]
    for flag, low, high in (
        ("is_occluded", 0.1, 0.5),
        ("is_truncated", 0.05, 0.4),
        ("is_group_of", 0.0005, 0.1),
    ):
        assert low < np.mean([getattr(box, flag) for box in boxes]) < high, flag


def test_a_truncated_box_reaches_the_edge(described: list[list[scene.RoomBox]]) -> None:
    for box in (box for boxes in described for box in boxes if box.is_truncated):
        assert min(box.xmin, box.ymin, 1 - box.xmax, 1 - box.ymax) < 0.02
