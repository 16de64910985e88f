"""What a detector of before finds stands for boxes of classes that nobody looked for."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dminity.core.stage import MODEL
from dminity.data import voc
from dminity.network.detector import BadModelFile, Detector
from dminity.training import loop, pseudo_labels
from tests.helpers.detectors import random_detector, save
from tests.helpers.training_runs import run

CPU = torch.device("cpu")


@pytest.fixture
def detector() -> Detector:
    """One that finds much, at random, with all scores."""
    return random_detector(0)


def with_pseudo_labels(
    annotations: list[voc.Annotation], folder: Path, model: Path
) -> list[voc.Annotation]:
    """As a training asks for them, on a CPU."""
    return pseudo_labels.with_pseudo_labels(annotations, folder, model, CPU)


def test_sure_findings_of_open_classes_become_boxes(
    rooms: Path, detector: Detector, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    known, open_one, *others = voc.read_split(rooms, "train", voc.read_classes(rooms))
    open_one = replace(open_one, unverified=("Sink", "Towel"))
    path = save(detector, tmp_path / "first.pth")
    found = with_pseudo_labels([known, open_one, *others], rooms, path)
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
    # What has a box needs no second one.
    assert with_pseudo_labels([found[1]], rooms, path) == [found[1]]


def test_a_thing_has_one_name(
    rooms: Path, detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = replace(detector, classes=("Couch", "Sink", "Sofa bed"))
    path = save(detector, tmp_path / "first.pth")
    monkeypatch.setattr(pseudo_labels, "SURE", 0.01)
    (room, *_) = voc.read_split(rooms, "train", voc.read_classes(rooms))

    def found(*unverified: str, objects: tuple[voc.VocObject, ...] = ()) -> list[voc.VocObject]:
        asked = replace(room, objects=objects, unverified=unverified)
        (labeled,) = with_pseudo_labels([asked], rooms, path)
        return list(labeled.objects[len(objects) :])

    both, couches = found("Couch", "Sofa bed"), found("Couch")
    (all_found,) = detector.find([voc.annotated_photo(rooms, room)])
    named = [detector.classes[class_id] for class_id in all_found.class_ids]
    assert {item.label for item in both} == {"Couch", "Sofa bed"}
    assert len(both) < named.count("Couch") + named.count("Sofa bed")
    # That something is no sofa bed is no reason to lose a couch.
    assert [item.label for item in couches] == ["Couch"] * named.count("Couch")
    # Where all couches are known, so are all sofa beds that have no box of a couch.
    assert found("Sofa bed") == []
    # What is drawn as a sofa bed is no couch besides.
    drawn = replace(couches[0], label="Sofa bed")
    left = found("Couch", objects=(drawn,))
    assert left
    assert couches[0] not in left


def test_a_detector_that_is_of_no_use_is_refused(
    rooms: Path, detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(detector, tmp_path / "first.pth")
    (first, *_) = voc.read_split(rooms, "train", voc.read_classes(rooms))
    mend = r"; check train\.pseudo_labels: `none`, or the path"
    with pytest.raises(BadModelFile, match=rf"first\.pth knows no class .*{mend}"):
        with_pseudo_labels([replace(first, unverified=("Towel",))], rooms, path)
    with pytest.raises(BadModelFile, match=rf"other\.pth: no such file{mend}"):
        with_pseudo_labels([first], rooms, tmp_path / "other.pth")
    torch.save({"weights": torch.zeros(2)}, tmp_path / "weights.pth")
    with pytest.raises(BadModelFile, match=rf"weights\.pth is no model of dminity{mend}"):
        with_pseudo_labels([first], rooms, tmp_path / "weights.pth")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadModelFile, match=rf"models/model\.pth is what .* replaces{mend}"):
        with_pseudo_labels([first], rooms, MODEL)
    # All is known: nothing is asked of it.
    assert with_pseudo_labels([first], rooms, path) == [first]


@pytest.mark.slow
def test_a_training_learns_from_them_as_from_boxes_that_were_drawn(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, found = (Path(shutil.copytree(rooms, tmp_path / name)) for name in ("drawn", "found"))
    for image_id in voc.read_ids(rooms, "train"):
        room = voc.read(voc.annotation_path(rooms, image_id))
        some = tuple(item for item in room.objects if item.label != "Sink")
        for folder, objects in ((drawn, room.objects), (found, some)):
            labeled = replace(room, objects=objects, unverified=("Sink",))
            voc.write(labeled, voc.annotation_path(folder, image_id))
    boxes = voc.read_split(drawn, "train", voc.read_classes(drawn))
    monkeypatch.setattr(loop, "with_pseudo_labels", lambda *_: boxes)
    weights = {}
    for name, folder, model in (
        ("drawn", drawn, "none"),
        ("found", found, "first.pth"),
        ("missing", found, "none"),
    ):
        chosen: dict[str, object] = {"epochs": 1, "sampling": "classes", "pseudo_labels": model}
        weights[name] = run(folder, tmp_path / f"run-{name}", **chosen)
    for other, is_same in (("found", True), ("missing", False)):
        same = (torch.equal(weights[other][key], value) for key, value in weights["drawn"].items())
        assert all(same) == is_same
