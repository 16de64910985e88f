"""What `dminity check` finds, and what it says of good data."""

import io
import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rich.console import Console

from dminity.commands.report_table import show
from dminity.core.amenities import NAMES
from dminity.core.splits import SPLITS
from dminity.data import tables
from dminity.data.checking.duplicates import duplicates
from dminity.data.checking.fingerprints import UNREADABLE, Fingerprint, fingerprint
from dminity.data.checking.report import Report, report
from dminity.sources.rooms import scene
from tests.helpers.project import ROOT, run_module

ROOMS = {f"{number:016x}": split for number, split in enumerate(SPLITS * 2)}


def room(image_id: str, quality: int = 95, size: tuple[int, int] | None = None) -> bytes:
    """A room as a JPEG."""
    photo = Image.fromarray(scene.render(image_id))
    file = io.BytesIO()
    (photo.resize(size) if size else photo).save(file, "JPEG", quality=quality)
    return file.getvalue()


@pytest.fixture(scope="module")
def rooms() -> dict[str, bytes]:
    """Six rooms."""
    return {image_id: room(image_id) for image_id in ROOMS}


def looked_at(folder: Path, photos: dict[str, bytes], splits: dict[str, str]) -> pd.DataFrame:
    """Images with their fingerprints."""
    rows = []
    for image_id, content in photos.items():
        path = folder / f"{image_id}.jpg"
        path.write_bytes(content)
        print_ = fingerprint(path)
        rows.append({"image_id": image_id, "split": splits[image_id], **print_._asdict()})
    return pd.DataFrame(rows)


def some_boxes(splits: dict[str, str], **values: float | bool) -> pd.DataFrame:
    """A bed in each image."""
    rows: list[dict[str, object]] = [
        {"image_id": image_id, "split": split, "label": "Bed", "difficult": False}
        | {"xmin": 0.25, "xmax": 0.75, "ymin": 0.0, "ymax": 0.5}
        | dict.fromkeys(tables.FLAGS, False)
        | dict[str, object](values)
        for image_id, split in splits.items()
    ]
    return pd.DataFrame(rows)


def examined(
    images: pd.DataFrame, boxes: pd.DataFrame, published: pd.DataFrame | None = None
) -> Report:
    """The report, for photos of 640 pixels."""
    return report(boxes if published is None else published, images, boxes, ("Bed", "Sink"), 640, 4)


def test_different_rooms_are_no_duplicates(tmp_path: Path, rooms: dict[str, bytes]) -> None:
    images = looked_at(tmp_path, rooms, ROOMS)
    found = examined(images, some_boxes(ROOMS))
    assert found.faults == []
    assert found.figures["exact_duplicates"] == found.figures["near_duplicates"] == 0
    assert found.figures["photos"] == 6


def test_a_photo_in_two_splits_is_found(tmp_path: Path, rooms: dict[str, bytes]) -> None:
    first = next(iter(ROOMS))
    height, width = scene.render(first).shape[:2]
    copies = {"a" * 16: rooms[first], "b" * 16: room(first, 60, (width // 2, height // 2))}
    splits = ROOMS | {"a" * 16: "test", "b" * 16: "validation"}
    images = looked_at(tmp_path, rooms | copies, splits)
    pairs = duplicates(images, near_bits=4)
    assert set(zip(pairs["image_id"], pairs["other_id"], pairs["exact"], strict=True)) == {
        (first, "a" * 16, True),
        (first, "b" * 16, False),
        ("b" * 16, "a" * 16, False),
    }
    faults = examined(images, some_boxes(splits)).faults
    assert "1 pairs of photos in two splits are the same, as train/0000" in faults[0]
    assert "2 pairs of photos in two splits are much alike" in faults[1]


def test_a_copy_in_the_same_split_leaks_nothing(tmp_path: Path, rooms: dict[str, bytes]) -> None:
    first = next(iter(ROOMS))
    splits = ROOMS | {"a" * 16: ROOMS[first]}
    images = looked_at(tmp_path, rooms | {"a" * 16: rooms[first]}, splits)
    assert duplicates(images, near_bits=4).empty


@pytest.mark.parametrize("at_once", [1, 3, 300])
def test_pairs_are_those_of_a_loop(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr("dminity.data.checking.duplicates.ROWS_AT_ONCE", at_once)
    random = np.random.default_rng(at_once)
    looks = random.integers(0, 8, 40, np.uint64) << np.uint64(61)
    photos = pd.DataFrame({"look": looks, "content": [str(look) for look in looks]})
    photos["image_id"] = [f"{number:016x}" for number in range(40)]
    photos["split"] = random.choice(SPLITS, 40)
    rows = list(zip(photos["image_id"], photos["split"], looks.tolist(), strict=True))
    expected = {
        (one_id, other_id, (one_look ^ other_look).bit_count())
        for one_id, one_split, one_look in rows
        for other_id, other_split, other_look in rows
        if SPLITS.index(one_split) < SPLITS.index(other_split)
        and (one_look ^ other_look).bit_count() <= 1
    }
    pairs = duplicates(photos, near_bits=1)
    assert set(zip(pairs["image_id"], pairs["other_id"], pairs["bits"], strict=True)) == expected
    assert (pairs["exact"] == (pairs["bits"] == 0)).all()


@pytest.mark.parametrize("content", [b"", b"no photo", None])
def test_an_unreadable_photo_is_a_fault(
    tmp_path: Path, rooms: dict[str, bytes], content: bytes | None
) -> None:
    first = next(iter(ROOMS))
    images = looked_at(
        tmp_path, rooms | {first: rooms[first][:-500] if content is None else content}, ROOMS
    )
    assert Fingerprint(*images.loc[0, list(Fingerprint._fields)]) == UNREADABLE
    found = examined(images, some_boxes(ROOMS))
    assert found.figures["unreadable_photos"] == 1
    assert found.faults == [
        f"1 photos are missing or do not decode, as train/{first}: delete them and run `dvc repro`"
    ]


def test_a_box_out_of_range_is_a_fault(tmp_path: Path, rooms: dict[str, bytes]) -> None:
    boxes = some_boxes(ROOMS)
    boxes.loc[2, "xmax"] = 1.5
    found = examined(looked_at(tmp_path, rooms, ROOMS), boxes)
    assert found.figures["boxes_out_of_range"] == 1
    assert "1 boxes are out of range, as one of test/0000000000000002" in found.faults[0]


def test_counts_sizes_and_groups(tmp_path: Path, rooms: dict[str, bytes]) -> None:
    boxes = some_boxes(ROOMS)
    # Half the width and half the height of the rooms: large; in the last, a sixty-fourth: small.
    boxes.loc[5, ["xmax", "ymax"]] = [0.25 + 1 / 64, 1 / 64]
    more = some_boxes({"c" * 16: "train", "d" * 16: "train"}, is_group_of=True)
    published = pd.concat([boxes, more], ignore_index=True)
    found = examined(looked_at(tmp_path, rooms, ROOMS), boxes, published)
    bed = found.classes.iloc[0]
    assert (bed["train_photos"], bed["published_train_photos"]) == (2, 4)
    assert (bed["test_boxes"], bed["published_test_boxes"]) == (2, 2)
    assert bed["groups"] == found.figures["groups"] == 0.25
    assert bed["small"] == pytest.approx(1 / 6, abs=1e-4)
    assert bed["large"] == pytest.approx(5 / 6, abs=1e-4)
    assert list(found.classes["class"]) == ["Bed", "Sink"]
    assert found.figures["classes_without_training_boxes"] == 1
    assert found.figures["imbalance"] == 1


def test_the_terminal_shows_every_class_figure_and_fault() -> None:
    row = {"class": "Bed", "small": 0.5, "medium": 0.25, "large": 0.25, "groups": 0.1}
    for split in SPLITS:
        for kind in ("photos", "boxes"):
            row |= {f"{split}_{kind}": 3, f"published_{split}_{kind}": 7}
    console = Console(file=io.StringIO(), width=200)
    show(Report(pd.DataFrame([row]), {"near_duplicates": 2}, ["two are alike"]), console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    for text in ("Bed", "3 of 7", "50%", "10%", "near duplicates: 2", "fault: two are alike"):
        assert text in printed


@pytest.fixture
def merged(tmp_path: Path, rooms: dict[str, bytes]) -> Path:
    """A folder as `dvc repro merge` leaves it."""
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    for image_id, split in ROOMS.items():
        folder = tmp_path / "data/raw/01-10" / split
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{image_id}.jpg").write_bytes(rooms[image_id])
    images = pd.DataFrame(ROOMS.items(), columns=["image_id", "split"])
    images = images.assign(bucket="01-10", wanted_by=pd.Series([["Bed"]] * len(images)))
    merged = tmp_path / "data/merged"
    tables.write(images, merged / "images.parquet", tables.IMAGES)
    tables.write(some_boxes(ROOMS), merged / "boxes.parquet", tables.MERGED_BOXES)
    tables.write(some_boxes(ROOMS), tmp_path / "data/index/boxes.parquet", tables.BOXES)
    (merged / "classes.txt").write_text("\n".join(NAMES) + "\n")
    return tmp_path


def test_the_command_says_by_its_exit_code_whether_all_is_well(merged: Path) -> None:
    done = run_module(merged, "dminity.commands", "check")
    assert done.returncode == 0, done.stderr
    assert "no faults" in done.stdout
    photo = next((merged / "data/raw/01-10/train").glob("*.jpg"))
    pixels = cv2.imread(str(photo))
    assert pixels is not None
    cv2.imwrite(str(merged / "data/raw/01-10/test/0000000000000002.jpg"), pixels)
    done = run_module(merged, "dminity.commands", "check")
    assert done.returncode == 1
    assert "much alike" in done.stdout
    (merged / "data/merged/images.parquet").unlink()
    done = run_module(merged, "dminity.commands", "check")
    assert done.returncode == 1
    assert "images.parquet is missing or damaged; run `dvc repro`" in done.stderr


def test_the_stage_writes_figures_and_a_chart_whatever_it_finds(merged: Path) -> None:
    (merged / "data/raw/01-10/test/0000000000000002.jpg").unlink()
    done = run_module(merged, "dminity.stages.check")
    assert done.returncode == 0, done.stderr
    assert json.loads((merged / "metrics/check.json").read_text())["unreadable_photos"] == 1
    chart = pd.read_csv(merged / "metrics/plots/classes.csv")
    assert list(chart["class"]) == list(NAMES)
    assert chart.set_index("class").loc["Bed", "train_boxes"] == 2
