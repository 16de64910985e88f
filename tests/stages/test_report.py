"""report: what it writes of a few photos, and of bad input."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from dminity.data import tables, voc
from dminity.detection.detections import Detections
from dminity.evaluation import detection_table, presence, summary
from dminity.evaluation.confusion import confusion
from dminity.evaluation.openimages import Published
from dminity.evaluation.overlaps import BadDetection
from dminity.report.recorded import NoFigures
from dminity.stages import report
from tests.helpers.evaluation_cases import found
from tests.helpers.onnx_models import BRIGHT_CLASSES, write_bright_model
from tests.helpers.project import ROOT, checksums

SIDE = 64
HALVES = {"Bed": (0.0, 0.0, 32.0, 64.0), "Sink": (32.0, 0.0, 64.0, 64.0)}
OPTIONAL = ("cost.json", "export_cost.json", "data.json", "check.json", "plots/confusion.csv")
# A bed that is found well, and twice.
TWICE = found((0, 0, 32, 64, 0, 0.9), (0, 0, 32, 60, 0, 0.9))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with test photos a, of a bed, and b, of nothing; c is for validation."""
    folder = tmp_path / "data/voc"
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    (folder / "classes.txt").write_text("Bed\nSink\n")
    voc.split_path(folder, "train").write_text("d\n")
    voc.split_path(folder, "test").write_text("a\nb\n")
    voc.split_path(folder, "validation").write_text("c\n")
    put(tmp_path, a=["Bed"], b=[], c=["Bed", "Sink"])
    for image_id in "abc":
        Image.new("RGB", (SIDE, SIDE), "white").save(voc.photo_path(folder, image_id))
    (tmp_path / "models").mkdir()
    write_bright_model(tmp_path / "models/model.onnx")
    for name in ("model.pth", "model-nms.onnx", "model-int8.onnx"):
        (tmp_path / "models" / name).write_bytes(name.encode())
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(project: Path, **contents: list[str]) -> None:
    """Say what is in photos."""
    folder = project / "data/voc"
    for image_id, labels in contents.items():
        items = tuple(voc.VocObject(label, HALVES[label]) for label in labels)
        voc.write(
            voc.Annotation(image_id, SIDE, SIDE, items), voc.annotation_path(folder, image_id)
        )


def record(project: Path, *detections: Detections) -> None:
    """Write what `evaluate` and `export` write, of these detections in the test photos."""
    metrics = project / "metrics"
    (metrics / "plots").mkdir(parents=True, exist_ok=True)
    annotations = voc.read_split(project / "data/voc", "test", BRIGHT_CLASSES)
    truths = [voc.ground_truth(item, BRIGHT_CLASSES) for item in annotations]
    image_ids = tuple(item.image_id for item in annotations)
    sizes = [(SIDE, SIDE)] * len(image_ids)
    table = detection_table.to_table(image_ids, sizes, detections, BRIGHT_CLASSES)
    tables.write(table, metrics / "detections.parquet", detection_table.SCHEMA)
    # Nobody looked for anything in these photos: there is no figure by Open Images' rules.
    nothing = pd.DataFrame(columns=["image_id", "label", *tables.CORNERS, "is_group_of", "present"])
    published = Published(image_ids, nothing, nothing)
    known = summary.evaluate(
        summary.Photos(truths, list(detections), published, table, BRIGHT_CLASSES)
    )
    figures = {**summary.figures(known), "images": 2, "params_m": 1.0, "gflops": 1.0}
    (metrics / "evaluate.json").write_text(json.dumps(figures))
    summary.class_table(known).to_csv(metrics / "per_class.csv", index=False)
    found_in = presence.presence(truths, list(detections), BRIGHT_CLASSES)
    said = presence.figures(found_in, (0.5, 0.5), BRIGHT_CLASSES)
    (metrics / "presence.json").write_text(json.dumps(said))
    unknown = {"presence_precision": None, "presence_recall": None}
    model = {"coco": {"AP": None, "AP50": None}, "size_mb": 1.0, **unknown}
    (metrics / "export.json").write_text(json.dumps({"model": model}))
    pairs = confusion(truths, list(detections), BRIGHT_CLASSES, 0.4)
    pairs.to_csv(metrics / "plots/confusion.csv", index=False)


def written(project: Path, name: str) -> str:
    """A file that it wrote."""
    return (project / name).read_text(encoding="utf-8")


def test_what_is_wrong_is_told_in_tables_pictures_page_and_card(project: Path) -> None:
    record(project, TWICE, found((32, 0, 64, 64, 1, 0.7)))
    report.main()
    errors = pd.read_csv(project / "metrics/plots/errors.csv").set_index("error")
    assert errors["shown"].to_dict() == {
        "wrong class": 0, "poor box": 0, "both": 0, "duplicate": 1, "background": 1, "missed": 0,
    }  # fmt: skip
    pictures = {path.stem for path in (project / "metrics/plots/failures").iterdir()}
    assert pictures == {"false-alarm-1", "false-alarm-2", "class-bed", "class-sink"}
    page = written(project, "metrics/report.html")
    assert "1. Bed 0.90: found already, by a better score (a)" in page
    assert "2. Sink 0.70: nothing of the classes is there (b)" in page
    # What the model of this folder finds in a photo that is bright all over.
    assert "Bed: 1 of 1 found (c)" in page
    assert "Sink: 1 of 1 found (c)" in page
    # No photo has a verified label, no test photo a sink.
    assert "nothing to be found" in page
    card = written(project, "models/CARD.md")
    assert "| Open Images AP50 (challenge rules since 2018) | \N{EN DASH} |" in card
    assert "| Sink | 0.50 | 0.000 | \N{EN DASH} | \N{EN DASH} | \N{EN DASH} | 0 |" in card
    assert "drawn rooms only" in card
    # There is one validation photo.
    assert "fewer than 10 validation photos show have that of all classes together" in card
    assert "fewer than 10 validation photos show share a threshold" in page


@pytest.mark.parametrize("name", ["evaluate.json", "presence.json", "export.json", "per_class.csv"])
def test_what_is_needed_is_named_with_the_mend(project: Path, name: str) -> None:
    record(project, TWICE, found())
    path = project / "metrics" / name
    for content in ("", "{", "[]\n", "{}", "class,boxes\nBed,1\n"):
        path.write_text(content)
        with pytest.raises(NoFigures, match=rf"metrics/{name}.*run `dvc repro -f -s \w+`"):
            report.main()
    path.unlink()
    with pytest.raises(NoFigures, match=rf"metrics/{name}: no such file; run `dvc repro \w+`"):
        report.main()


def test_the_same_files_give_the_same_bytes_and_bad_input_loses_nothing(project: Path) -> None:
    record(project, TWICE, found())
    report.main()
    before = checksums(project)
    report.main()
    assert checksums(project) == before
    table = tables.read(project / "metrics/detections.parquet", detection_table.SCHEMA)
    table["score"] = np.nan
    tables.write(table, project / "metrics/detections.parquet", detection_table.SCHEMA)
    with pytest.raises(BadDetection, match="is no number"):
        report.main()
    after = checksums(project)
    assert {name for name in after if after[name] != before[name]} == {"metrics/detections.parquet"}


def test_without_detections_and_what_is_optional_all_is_missed(project: Path) -> None:
    record(project, found(), found())
    (project / "metrics/plots/confusion.csv").unlink()
    assert not [name for name in OPTIONAL if (project / "metrics" / name).exists()]
    report.main()
    page = written(project, "metrics/report.html")
    assert "Nothing was found." in page
    assert "1. Bed: not found at any score (a)" in page
    for name in ("data", "check"):
        assert f"metrics/{name}.json is not there" in page
    assert "No detection from 0.4 on is wrong." in page


def test_without_ground_truth_all_is_false(project: Path) -> None:
    put(project, a=[], c=[])
    record(project, TWICE, found())
    report.main()
    page = written(project, "metrics/report.html")
    assert "No class has a box." in page
    assert "There is no box." in page
    assert "The validation split shows none." in page
    assert pd.read_csv(project / "metrics/plots/pr_curves.csv").empty


def test_with_neither_there_is_a_page_too(project: Path) -> None:
    put(project, a=[], c=[])
    record(project, found(), found())
    report.main()
    assert "Nothing was found, and nothing is there." in written(project, "metrics/report.html")


@pytest.mark.parametrize(
    ("source", "pretrained", "pseudo_labels", "sentences"),
    [
        (
            "openimages",
            "coco",
            "none",
            ["CC BY 2.0", "official weights of yolox_nano (Apache-2.0)", "for 24 epochs"],
        ),
        (
            "demo",
            "mine.pth",
            "first.pth",
            [
                "`mine.pth`, of which this card does not know",
                "No photo of a home",
                "Pseudo-labels: of classes that nobody looked for in a training photo, it learned "
                "from what the detector `first.pth` found there.",
            ],
        ),
    ],
)
def test_the_card_knows_what_the_detector_was_made_of(
    project: Path, source: str, pretrained: str, pseudo_labels: str, sentences: list[str]
) -> None:
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["source"] = source
    params["train"] |= {"pretrained": pretrained, "pseudo_labels": pseudo_labels, "epochs": "auto"}
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    record(project, TWICE, found())
    report.main()
    card = written(project, "models/CARD.md")
    for sentence in sentences:
        assert sentence in " ".join(card.split())
    assert ("Pseudo-labels" in card) == (pseudo_labels != "none")
