"""What a detector of before finds stands for boxes of classes that nobody looked for."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dminity.data import voc
from dminity.network.detector import BadModelFile, Detector
from dminity.training import pseudo_labels
from dminity.training.pseudo_labels import with_pseudo_labels
from tests.helpers.detectors import random_detector, save
from tests.helpers.training_runs import rows, run


@pytest.fixture
def detector() -> Detector:
    """One that finds much, at random, with all scores."""
    return random_detector(0)


def test_sure_findings_of_open_classes_become_boxes(
    rooms: Path, detector: Detector, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    known, open_one, *others = voc.read_split(rooms, "train", voc.read_classes(rooms))
    open_one = replace(open_one, unverified=("Sink", "Towel"))
    found = with_pseudo_labels(
        [known, open_one, *others], rooms, save(detector, tmp_path / "first.pth")
    )
    (all_found,) = detector.find([voc.annotated_photo(rooms, open_one)])
    sinks = detector.classes.index("Sink")
    wanted = [
        tuple(box)
        for box, score, class_id in zip(
            all_found.xyxy_pixels.tolist(), all_found.scores, all_found.class_ids, strict=True
        )
        if class_id == sinks and score >= pseudo_labels.SURE
    ]
    # It finds others, too, and less sure ones.
    assert 0 < len(wanted) < (all_found.class_ids == sinks).sum() < len(all_found.scores)
    assert found[0] == known
    assert found[2:] == others
    assert found[1].objects[: len(open_one.objects)] == open_one.objects
    added = found[1].objects[len(open_one.objects) :]
    assert [item.xyxy_pixels for item in added] == wanted
    assert {item.label for item in added} == {"Sink"}
    assert not any(item.difficult for item in added)
    # Where it finds none, there may be one nevertheless.
    assert found[1].unverified == ("Sink", "Towel")
    said = f"pseudo-labels: {len(wanted)} boxes in 1 of {len(found)} training photos"
    assert said in capfd.readouterr().err


def test_a_sofa_bed_is_not_a_couch_besides(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = replace(random_detector(0), classes=("Couch", "Sink", "Sofa bed"))
    (first, *_) = voc.read_split(rooms, "train", voc.read_classes(rooms))
    first = replace(first, objects=(), unverified=("Couch", "Sofa bed"))
    monkeypatch.setattr(pseudo_labels, "SURE", 0.01)
    (found,) = with_pseudo_labels([first], rooms, save(detector, tmp_path / "first.pth"))
    (all_found,) = detector.find([voc.annotated_photo(rooms, first)])
    named = [item for item in all_found.class_ids if detector.classes[item] != "Sink"]
    assert 0 < len(found.objects) < len(named)
    # What is drawn as a sofa bed is no couch besides.
    couch = next(item for item in found.objects if item.label == "Couch")
    drawn = replace(first, objects=(replace(couch, label="Sofa bed"),), unverified=("Couch",))
    (found,) = with_pseudo_labels([drawn], rooms, tmp_path / "first.pth")
    others = [item.xyxy_pixels for item in found.objects[1:]]
    assert others
    assert couch.xyxy_pixels not in others


def test_a_detector_of_other_classes_is_refused(
    rooms: Path, detector: Detector, tmp_path: Path
) -> None:
    path = save(detector, tmp_path / "first.pth")
    (first, *_) = voc.read_split(rooms, "train", voc.read_classes(rooms))
    with pytest.raises(BadModelFile, match=r"first\.pth knows no class .*train\.pseudo_labels"):
        with_pseudo_labels([replace(first, unverified=("Towel",))], rooms, path)
    with pytest.raises(BadModelFile, match=r"other\.pth: no such file"):
        with_pseudo_labels([first], rooms, tmp_path / "other.pth")
    # All is known: nothing is asked of it.
    assert with_pseudo_labels([first], rooms, path) == [first]


def test_a_training_learns_from_them(rooms: Path, detector: Detector, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(rooms, tmp_path / "voc"))
    for image_id in voc.read_ids(folder, "train"):
        path = voc.annotation_path(folder, image_id)
        room = voc.read(path)
        objects = tuple(item for item in room.objects if item.label != "Sink")
        voc.write(replace(room, objects=objects, unverified=("Sink",)), path)
    path = save(detector, tmp_path / "first.pth")
    chosen = {"none": "none", "first": str(path)}
    losses, weights = {}, {}
    for name, model in chosen.items():
        weights[name] = run(folder, tmp_path / name, epochs=1, pseudo_labels=model)
        losses[name] = dict(rows(tmp_path / name / "live")["train/box_loss"])[1]
    assert losses["first"] != losses["none"]
    assert any(
        not torch.equal(weights["first"][key], weights["none"][key]) for key in weights["none"]
    )
