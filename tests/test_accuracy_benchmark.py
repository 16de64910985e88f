"""The benchmark of accuracy: what a peer learns from and finds, and how far ours is ahead of it."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import peer, peer_training
from benchmarks.accuracy import OURS, evaluate, read, recipe
from benchmarks.accuracy_table import Training, table
from dminity.data import voc
from tests.helpers.room_folder import make_room_folder


def test_a_peer_that_finds_what_it_was_taught_has_an_ap_of_1(tmp_path: Path) -> None:
    """Its labels are its detections here, but for their scores."""
    folder = make_room_folder(tmp_path / "voc", {"train": 1, "validation": 1, "test": 6})
    peer.write_photos(folder, tmp_path / "photos")
    found = tmp_path / "runs" / "test" / "labels"
    found.mkdir(parents=True)
    for label in (tmp_path / "photos" / "labels" / "test").glob("*.txt"):
        lines = [f"{line} 0.5" for line in label.read_text().splitlines()]
        (found / label.name).write_text("\n".join(lines))
    detections = peer_training.read_found(folder, tmp_path / "runs")
    assert evaluate(folder, detections).ap == 1.0


def test_a_peer_is_not_taught_what_training_leaves_out(tmp_path: Path) -> None:
    folder = make_room_folder(tmp_path / "voc", {"train": 1})
    (image_id,) = voc.read_ids(folder, "train")
    path = voc.annotation_path(folder, image_id)
    path.write_text(path.read_text().replace("<difficult>0", "<difficult>1", 1))
    peer.write_photos(folder, tmp_path / "photos")
    lines = (tmp_path / "photos" / "labels" / "train" / f"{image_id}.txt").read_text().splitlines()
    assert len(lines) == len(voc.read(path).objects) - 1


def test_detections_come_best_first_and_photos_without_any_are_there(tmp_path: Path) -> None:
    folder = make_room_folder(tmp_path / "voc", {"test": 2}, side=100)
    first, _ = voc.read_split(folder, "test", voc.read_classes(folder))
    found = tmp_path / "test" / "labels"
    found.mkdir(parents=True)
    (found / f"{first.image_id}.txt").write_text("3 0.5 0.5 0.2 0.4 0.1\n7 0.25 0.5 0.1 1 0.9\n")
    one, none = peer_training.read_found(folder, tmp_path)
    assert one.class_ids.tolist() == [7, 3]
    assert one.scores.tolist() == [0.9, 0.1]
    width, height = first.width, first.height
    np.testing.assert_allclose(one.xyxy_pixels[0], [0.2 * width, 0, 0.3 * width, height])
    assert not len(none.scores)


def test_trainings_of_another_recipe_are_not_mixed_in(tmp_path: Path) -> None:
    folder = make_room_folder(tmp_path / "voc", {"train": 1, "validation": 1, "test": 1})
    params = {"train": {"seed": 1, "lr": 0.1}}
    used = recipe(params, folder)
    results = tmp_path / "accuracy.jsonl"
    results.write_text(json.dumps(asdict(replace(training(OURS, 1, 0.5), recipe=used))) + "\n")
    again = recipe({"train": {"seed": 2, "lr": 0.1}}, folder)
    assert [each.recipe for each in read(results, again)] == [used]
    (image_id,) = voc.read_ids(folder, "train")
    path = voc.annotation_path(folder, image_id)
    path.write_text(path.read_text().replace("<difficult>0", "<difficult>1", 1))
    for other in (recipe({"train": {"seed": 1, "lr": 0.2}}, folder), recipe(params, folder)):
        with pytest.raises(SystemExit, match="is of other parameters or photos"):
            read(results, other)


def training(model: str, seed: int, ap: float) -> Training:
    """A training with this AP."""
    return Training(model, seed, 256, 480.0, 9000, 22.0, ap, ap + 0.3)


def test_how_far_ours_is_ahead_is_said_with_an_interval() -> None:
    """By hand: there are 1.2 degrees of freedom, which count as one, so that t is 12.71."""
    pairs = [(OURS, 0.55), (OURS, 0.65), ("YOLO11n", 0.3), ("YOLO11n", 0.5)]
    rows = table([training(model, seed, ap) for seed, (model, ap) in enumerate(pairs)], OURS)
    # The means 0.6 and 0.4 are off by 0.05 and 0.1.
    factor = np.exp(12.71 * ((0.05 / 0.6) ** 2 + (0.1 / 0.4) ** 2) ** 0.5)
    assert f"| {1.5:.2f} ({1.5 / factor:.2f} to {1.5 * factor:.2f}) |" in rows[-1]
    assert "| 0.300 0.500 | 0.400 ± 0.141 |" in rows[-1]


@pytest.mark.parametrize(("theirs", "said"), [(0.5, "1.20"), (0.0, "-")])
def test_one_seed_has_no_interval_and_no_ratio_to_nothing(theirs: float, said: str) -> None:
    rows = table([training(OURS, 1, 0.6), training("YOLO26n", 1, theirs)], OURS)
    assert f"| {theirs:.3f} | {theirs:.3f} | {said} |" in rows[-1]
    assert rows[-1].count("|") == rows[0].count("|") == rows[1].count("|")
