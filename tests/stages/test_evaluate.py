"""evaluate: what it writes of a few photos, and what it takes from where."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
from PIL import Image

from dminity.core.stage import MODEL
from dminity.data import tables, voc
from dminity.evaluation import detection_table, truth_table
from dminity.network.detector import save_detector
from dminity.stages import evaluate
from dminity.stages.evaluate import NoNumbers
from tests.helpers.detectors import nano, save_nano
from tests.helpers.project import ROOT, checksums

WIDTH, HEIGHT = 96, 64
FLAGS = dict.fromkeys(tables.FLAGS, False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two test photos, of a bed and of a group of sinks, and a network."""
    folder = tmp_path / "data/voc"
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    (folder / "classes.txt").write_text("Bed\nSink\n")
    for image_id, label in (("a", "Bed"), ("b", "Sink")):
        box = voc.VocObject(label, (9.6, 6.4, 48.0, 32.0), difficult=label == "Sink")
        annotation = voc.Annotation(image_id, WIDTH, HEIGHT, (box,))
        voc.write(annotation, voc.annotation_path(folder, image_id))
        Image.new("RGB", (WIDTH, HEIGHT), "teal").save(voc.photo_path(folder, image_id))
    voc.split_path(folder, "test").write_text("a\nb\n")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    save_nano(tmp_path / MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def publish(project: Path, image_ids: tuple[str, str]) -> None:
    """Write what the source says of photos: the boxes of the fixture, and no label."""
    corners = {"xmin": 0.1, "ymin": 0.1, "xmax": 0.5, "ymax": 0.5}
    rows = [
        {"image_id": image_id, "split": "test", "label": label, **corners, **FLAGS}
        for image_id, label in zip(image_ids, ("Bed", "Sink"), strict=True)
    ]
    rows[1]["is_group_of"] = True
    folder = project / "data/index"
    tables.write(pd.DataFrame(rows), folder / "boxes.parquet", tables.BOXES)
    verified = pd.DataFrame(columns=tables.VERIFIED.names)
    tables.write(verified, folder / "verified.parquet", tables.VERIFIED)


def figures(project: Path) -> dict[str, dict[str, float | None]]:
    """What evaluate.json says."""
    found: dict[str, dict[str, float | None]] = json.loads(
        (project / "metrics/evaluate.json").read_text()
    )
    return found


def test_a_group_is_difficult_to_two_protocols_and_to_be_found_by_the_third(project: Path) -> None:
    publish(project, ("a", "b"))
    evaluate.main()
    boxes = {name: figures(project)[name]["boxes"] for name in ("coco", "voc", "openimages")}
    assert boxes == {"coco": 1, "voc": 1, "openimages": 2}
    table = tables.read(project / "metrics/detections.parquet", detection_table.SCHEMA)
    assert set(table["image_id"]) <= {"a", "b"}
    assert table[tables.CORNERS].to_numpy().max(initial=0) <= 1
    contents = tables.read(project / "metrics/truths.parquet", truth_table.SCHEMA)
    assert sorted(contents["ignored"]) == [False, True]
    per_class = pd.read_csv(project / "metrics/per_class.csv")
    assert per_class["openimages.boxes"].tolist() == [1, 1]


def test_photos_that_the_source_does_not_know_have_no_figure_by_open_images(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(project, ("b", "c"))
    evaluate.main()
    assert (
        "note: test photos of which data/index has no box: 1 (a); so there are no figures"
        in capsys.readouterr().err
    )
    assert figures(project)["openimages"]["AP50"] is None
    assert figures(project)["coco"]["AP"] is not None


@pytest.mark.parametrize("bias", [-10.0, 2.0], ids=["nothing is found", "all scores are equal"])
def test_a_detector_that_tells_nothing_apart_has_figures(project: Path, bias: float) -> None:
    network = nano()
    for layer in [*network.head.obj_preds, *network.head.cls_preds]:
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.constant_(layer.bias, bias)
    save_detector(network.state_dict(), "yolox_nano", ("Bed", "Sink"), (64, 96), project / MODEL)
    publish(project, ("a", "b"))
    evaluate.main()
    scores = tables.read(project / "metrics/detections.parquet", detection_table.SCHEMA)["score"]
    assert scores.nunique() == (bias > 0)
    for protocol in ("coco", "voc", "openimages"):
        of_protocol = figures(project)[protocol]
        limits = [of_protocol[f"AP50{limit}"] for limit in ("_low", "", "_high")]
        assert all(value is not None and 0 <= value <= 1 for value in limits)
        assert bias > 0 or limits == [0, 0, 0]


def test_without_a_box_that_counts_there_is_no_figure(project: Path) -> None:
    annotation = voc.Annotation("a", WIDTH, HEIGHT, ())
    voc.write(annotation, voc.annotation_path(project / "data/voc", "a"))
    publish(project, ("a", "b"))
    evaluate.main()
    for protocol in ("coco", "voc"):
        assert figures(project)[protocol]["boxes"] == 0
        assert figures(project)[protocol]["AP50"] is None
    per_class = pd.read_csv(project / "metrics/per_class.csv")
    assert per_class["coco.AP"].isna().all()
    contents = tables.read(project / "metrics/truths.parquet", truth_table.SCHEMA)
    assert set(contents["image_id"]) == {"a", "b"}


def test_weights_that_are_no_numbers_are_refused_and_cost_nothing(project: Path) -> None:
    network = nano()
    torch.nn.init.constant_(network.head.obj_preds[0].bias, torch.nan)
    save_detector(network.state_dict(), "yolox_nano", ("Bed", "Sink"), (64, 96), project / MODEL)
    (project / "metrics").mkdir()
    (project / "metrics/evaluate.json").write_text("{}")
    before = checksums(project)
    with pytest.raises(NoNumbers, match=r"models/model.pth: weights of head.obj_preds.0.bias are"):
        evaluate.main()
    assert checksums(project) == before
