"""evaluate: what it writes of a few photos, and what it takes from where."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from dminity.data import tables, voc
from dminity.evaluation import detection_table, truth_table
from dminity.stages import evaluate
from tests.helpers.detectors import save_nano
from tests.helpers.project import ROOT

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
    save_nano(tmp_path / "models/model.pth")
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
