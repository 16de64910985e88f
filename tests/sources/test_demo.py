"""The demo's rooms, and what their training photos can be made to lack."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from dminity.core.amenities import NAMES
from dminity.core.hierarchy import nearest, with_ancestors
from dminity.core.pool import Pool
from dminity.data.picking import pick
from dminity.sources.demo import RenderedRooms
from dminity.sources.rooms import scene
from dminity.sources.settings import DemoSettings
from dminity.sources.shortages import taken_out, verified_classes
from dminity.sources.source import Annotations

# What every demo of this file renders with, once there is one.
PROCESSES: list[Pool] = []
IDS = [f"{number:016x}" for number in range(2000)]


def rooms(
    unverified: float = 0.0, tail: float = 1.0, train: int = 40, seed: int = 1
) -> RenderedRooms:
    """A small demo; all share the processes that render."""
    settings = DemoSettings(
        seed=seed, train=train, validation=4, test=4, unverified=unverified, tail=tail
    )
    source = RenderedRooms(settings)
    source.pool = PROCESSES[0] if PROCESSES else source.pool
    PROCESSES[:] = [source.pool]
    return source


def read(source: RenderedRooms, split: str = "train") -> Annotations:
    """What a demo says of a split."""
    return source.annotations(split, Path("unused"))


@pytest.fixture(scope="module", autouse=True)
def processes() -> Iterator[None]:
    """End the processes that rendered."""
    yield
    while PROCESSES:
        PROCESSES.pop().shutdown()


@pytest.fixture(scope="module")
def whole() -> Annotations:
    """The training photos of a demo that lacks nothing."""
    return read(rooms())


def test_splits_share_no_room_and_seeds_change_them() -> None:
    source = rooms()
    ids = [source.image_id(split, number) for split in source.sizes for number in range(20)]
    assert len(set(ids)) == 60
    assert rooms(seed=2).image_id("train", 0) not in ids


def test_more_rooms_are_more_of_the_same(whole: Annotations) -> None:
    fewer = read(rooms(train=20)).boxes
    pd.testing.assert_frame_equal(whole.boxes.head(len(fewer)), fewer)


def test_all_is_verified_by_default(whole: Annotations) -> None:
    assert len(whole.verified) == 40 * len(NAMES)
    there = whole.verified[whole.verified["present"]]
    assert set(zip(there["image_id"], there["label"], strict=True)) == {
        (image_id, name)
        for image_id, label in zip(whole.boxes["image_id"], whole.boxes["label"], strict=True)
        for name in with_ancestors(label)
        if name in NAMES
    }


@pytest.mark.parametrize("share", [0.5, 0.8, 1.0])
def test_unverified_classes_have_neither_label_nor_box(whole: Annotations, share: float) -> None:
    less = read(rooms(unverified=share))
    known = less.verified.groupby("image_id").size()
    assert set(known) == {max(1, 30 - round(30 * share))}
    # What is verified is verified truly, with all its boxes.
    keys = ["image_id", "split", "label", "present"]
    assert len(less.verified.merge(whole.verified, on=keys)) == len(less.verified)
    names = less.verified.groupby("image_id")["label"].agg(set)
    labels = [
        nearest(label, names[image_id])
        for image_id, label in zip(whole.boxes["image_id"], whole.boxes["label"], strict=True)
    ]
    expected = whole.boxes.assign(label=pd.Series(labels)).dropna(subset="label")
    pd.testing.assert_frame_equal(less.boxes, expected.reset_index(drop=True))


def test_what_is_unverified_says_nothing_of_what_is_there() -> None:
    counts = Counter(name for room in IDS for name in verified_classes(room, [], 0.8))
    expected = 0.2 * len(IDS)
    assert len(counts) == len(NAMES)
    assert all(abs(count - expected) < 5 * expected**0.5 for count in counts.values())


def test_a_smaller_share_verifies_more_of_the_same() -> None:
    for room in IDS[:100]:
        assert verified_classes(room, NAMES, 0.8) < verified_classes(room, NAMES, 0.5)


def test_every_photo_is_picked_whatever_is_unverified(whole: Annotations) -> None:
    less = read(rooms(unverified=1.0))
    ids = [list(pick(found.boxes, 0, seed=1)["image_id"]) for found in (whole, less)]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 40


def test_validation_and_test_lack_nothing_and_no_photo_is_rendered_anew() -> None:
    plain, poor = rooms(), rooms(unverified=0.8, tail=100.0)
    assert plain.version == poor.version
    for split in ("validation", "test"):
        pd.testing.assert_frame_equal(read(plain, split).boxes, read(poor, split).boxes)
        pd.testing.assert_frame_equal(read(plain, split).verified, read(poor, split).verified)
    assert plain.photo("test", IDS[0]) == poor.photo("test", IDS[0])


def test_a_tail_makes_classes_rarer_geometrically() -> None:
    gone = Counter(name for room in IDS for name in taken_out(room, tail=100))
    for position, name in enumerate(NAMES):
        share = 100 ** (-position / 29)
        error = (share * (1 - share) / len(IDS)) ** 0.5
        assert abs(1 - gone[name] / len(IDS) - share) <= 5 * error, name


def test_rooms_of_a_tail_truly_lack_the_rare() -> None:
    source = rooms(tail=100.0)
    found = read(source)
    assert found.verified["image_id"].nunique() == found.boxes["image_id"].nunique() == 40
    there = found.verified[found.verified["present"]]
    assert not any(
        label in source.lacking("train", image_id)
        for image_id, label in zip(there["image_id"], there["label"], strict=True)
    )
    counts = found.boxes["label"].value_counts().reindex(NAMES, fill_value=0)
    assert counts.iloc[:10].sum() > 5 * counts.iloc[20:].sum()
    # No id stands for two photos.
    assert set(found.boxes["image_id"]).isdisjoint(read(rooms()).boxes["image_id"])


def test_what_is_taken_out_of_a_room_is_not_in_its_picture() -> None:
    room = next(room for room in IDS if len({box.label for box in scene.describe(room)}) > 5)
    whole = scene.describe(room)
    without = frozenset({box.label for box in whole} - {whole[0].label})
    (left,) = {box.label for box in scene.describe(room, without)}
    assert left == whole[0].label
    changed = cv2.absdiff(scene.render(room), scene.render(room, without)).max(axis=2) > 20
    for box in whole:
        height, width = changed.shape
        rows = slice(int(box.ymin * height), int(box.ymax * height))
        columns = slice(int(box.xmin * width), int(box.xmax * width))
        if box.label in without:
            assert np.mean(changed[rows, columns]) > 0.2, box.label


def test_rooms_of_which_all_is_taken_out_are_rendered_as_well() -> None:
    assert scene.describe(IDS[1], frozenset(NAMES)) == []
    assert all(scene.render(room, frozenset(NAMES)).std() > 3 for room in IDS[:8])
