"""The real pipeline, run by DVC and Git in temporary clones, as a user runs it."""

import hashlib
import json
import re
from pathlib import Path
from typing import Literal

import pytest
import yaml

from tests.helpers.browser import chromium
from tests.helpers.faulty_server import faulty_server
from tests.helpers.http_server import http_server
from tests.helpers.mirror import COCO_CHECKPOINT, REAL_MIRROR, serve_photos
from tests.helpers.processes import LIMIT_S
from tests.helpers.project import TINY, Project, checksums, stages_run
from tests.helpers.s3_server import BUCKET, S3Server

pytestmark = pytest.mark.slow

LIVE_METRICS = {
    "train": {"loss", "box_loss", "obj_loss", "cls_loss", "l1_loss", "num_fg"},
    "val": {"loss", "box_loss", "obj_loss", "cls_loss", "l1_loss"}
    | {"mAP50", "mAP50-95", "precision", "recall"},
    "x": {"lr0", "lr1", "lr2", "lr3"},
}
# Those of a phone and of a desk.
WINDOWS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((360, "light"), (1280, "dark"))
FIGURES = {"coco", "voc", "openimages", "images", "input_size", "params_m", "gflops", "size_mb"}
FORMAT_FIGURES = {"coco", "presence_precision", "presence_recall", "size_mb"}


def test_everything_is_there_after_a_run(ran: Project) -> None:
    live = json.loads((ran.folder / "metrics/train/metrics.json").read_text())
    for section, names in LIVE_METRICS.items():
        assert set(live[section]) == names
        for name in names:
            rows = ran.folder / f"metrics/train/plots/metrics/{section}/{name}.tsv"
            assert len(rows.read_text().splitlines()) == 1 + TINY["train"]["epochs"]
    assert set(json.loads((ran.folder / "metrics/evaluate.json").read_text())) == FIGURES
    for name in ("model", "model-nms", "model-int8"):
        assert (ran.folder / f"models/{name}.onnx").stat().st_size > 1e6
    exported = json.loads((ran.folder / "metrics/export.json").read_text())
    assert set(exported["model-int8"]) == FORMAT_FIGURES | {"in_float"}
    assert set(exported["model"]) == set(exported["model-nms"]) == FORMAT_FIGURES
    assert set(exported["model"]["coco"]) == {"AP", "AP50"}
    presence = json.loads((ran.folder / "metrics/presence.json").read_text())
    assert set(presence) == {"precision", "recall", "photos", "per_class"}
    assert len(list((ran.folder / "metrics/plots/predictions").glob("*.jpg"))) == 2
    photos = {path.stem for path in (ran.folder / "data/voc/JPEGImages").iterdir()}
    annotated = {path.stem for path in (ran.folder / "data/voc/Annotations").iterdir()}
    assert photos == annotated
    assert len(photos) == sum(TINY["demo"].values())


def test_the_report_is_there_after_a_run(ran: Project) -> None:
    plots = ran.folder / "metrics/plots"
    classes = (ran.folder / "data/voc/classes.txt").read_text().splitlines()
    for name, columns in (
        ("pr_curves", "class,recall,precision"),
        ("errors", "error,shown,any,gain"),
        ("calibration", "from,to,detections,score,right,right_low,right_high"),
        ("size", "group,photos,boxes,recall,AP50"),
        ("crowding", "group,photos,boxes,recall,AP50"),
        ("flags", "group,photos,boxes,recall"),
    ):
        assert (plots / f"{name}.csv").read_text().splitlines()[0] == columns
    pictures = {path.name for path in (plots / "failures").iterdir()}
    assert {name for name in pictures if name.startswith("miss-")}
    assert {name for name in pictures if name.startswith("class-")}
    card = (ran.folder / "models/CARD.md").read_text()
    _, front, text = card.split("---\n", 2)
    described = yaml.safe_load(front)
    assert described["license"] == "apache-2.0"
    assert described["pipeline_tag"] == "object-detection"
    for name in classes:
        assert f"| {name} |" in text
    for name in ("model.pth", "model.onnx", "model-nms.onnx", "model-int8.onnx"):
        digest = hashlib.sha256((ran.folder / "models" / name).read_bytes()).hexdigest()
        assert digest in text


def test_the_report_opens_from_the_disk(ran: Project, axe: str) -> None:
    seen: list[str] = []
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    check = "async () => (await axe.run()).violations.map(({ id, impact }) => `${impact}: ${id}`)"
    with chromium() as browser:
        for width, scheme in WINDOWS:
            page = browser.new_page(
                viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
            )
            page.set_default_timeout(LIMIT_S * 1000)
            page.on("request", lambda request: seen.append(request.url))
            page.on("console", lambda message: seen.append(message.text))
            page.on("pageerror", lambda error: seen.append(str(error)))
            page.goto((ran.folder / "metrics/report.html").as_uri())
            assert page.evaluate(wide) == 0
            page.evaluate(axe)
            assert page.evaluate(check) == []
            broken = "() => [...document.images].filter(image => !image.naturalWidth).length"
            assert page.evaluate(broken) == 0
            page.close()
    others = [line for line in seen if not line.startswith(("file:", "data:"))]
    assert others == []


def test_without_a_terminal_there_are_lines_and_no_bars(first_run: tuple[Project, str]) -> None:
    _, output = first_run
    assert "\r" not in output
    epochs = re.findall(
        r"^epoch (\d+) of 1: loss [\d.]+ \(box [\d.]+, obj [\d.]+, cls [\d.]+(?:, l1 [\d.]+)?\), "
        r"validation AP [\d.]+, AP50 [\d.]+, [\d.]+ photos/s, 00:00 left$",
        output,
        re.MULTILINE,
    )
    assert epochs == ["1"]
    for name in ("resize", "voc", "check", "evaluate", "report"):
        assert re.search(rf"^{name}: 100%, \d+ of \d+, .* left$", output, re.MULTILINE), name


def test_a_rerun_with_the_same_weights_changes_no_metric(project: Project) -> None:
    before = checksums(project.folder)
    stages = ("train", "evaluate", "export", "report")
    output = project.run("dvc", "repro", "--force", "--single-item", *stages)
    assert stages_run(output) == set(stages)
    after = checksums(project.folder)
    assert after["models/model.pth"] == before["models/model.pth"]
    differing = {name for name in before if after[name] != before[name]}
    assert differing <= {
        "metrics/cost.json",
        "metrics/export_cost.json",
        # It tells those.
        "metrics/report.html",
        "metrics/train/speed.csv",
    }
    assert json.loads(project.run("dvc", "metrics", "diff", "--json")) == {}


def test_dvc_tracks_what_git_does_not(ran: Project) -> None:
    tracked = ran.run("git", "ls-files").splitlines()
    assert "dvc.lock" in tracked
    assert "metrics/evaluate.json" in tracked
    results = [name for name in tracked if name.startswith(("data/", "models/", "metrics/"))]
    assert not [name for name in results if name.endswith((".jpg", ".pth", ".onnx", ".parquet"))]
    # Neither DVC nor DVCLive rewrote what people write.
    assert ran.run("git", "diff", "--stat", "HEAD~1", "--", "dvc.yaml", "src") == ""


def test_a_second_run_does_nothing(project: Project) -> None:
    output = project.run("dvc", "repro")
    assert stages_run(output) == set()
    assert "Data and pipelines are up to date." in output


def test_a_new_parameter_of_training_reruns_training_and_its_card_only(project: Project) -> None:
    settings = project.folder / "src/dminity/training/settings.py"
    settings.write_text(f"{settings.read_text()}    label_smoothing: float\n")
    project.set_params({"train": {"label_smoothing": 0.1}})
    assert json.loads(project.run("dvc", "status", "--json")).keys() == {"train", "report"}


def test_what_python_and_editors_leave_reruns_nothing(project: Project) -> None:
    room = project.folder / "src/dminity/core"
    (room / "__pycache__").mkdir(exist_ok=True)
    for name in ("__pycache__/errors.cpython-311.pyc", "errors.py~", ".errors.py.swp"):
        (room / name).write_text("left behind")
    try:
        assert json.loads(project.run("dvc", "status", "--json")) == {}
    finally:
        for name in ("errors.py~", ".errors.py.swp"):
            (room / name).unlink()


def test_a_class_filter_fetches_nothing(project: Project) -> None:
    first, *_, last = [name for name, counts in class_counts(project).items() if all(counts)]
    project.set_params({"classes": [last, first]})
    output = project.run("dvc", "repro", "voc")
    assert stages_run(output) == {"merge", "resize", "voc"}
    assert (project.folder / "data/voc/classes.txt").read_text() == f"{first}\n{last}\n"
    assert list(class_counts(project)) == [first, last]


def test_a_class_that_a_split_does_not_show_is_refused(project: Project) -> None:
    before = checksums(project.folder)
    absent = next(name for name, counts in class_counts(project).items() if not counts[-1])
    project.set_params({"classes": [absent]})
    output = project.run("dvc", "repro", fails=True)
    assert re.search(rf"error: no \w+ image shows any of: {absent}; choose more classes", output)
    assert checksums(project.folder) == before


def class_counts(project: Project) -> dict[str, list[int]]:
    """Images of each class in train, validation and test, as metrics/data.json has them."""
    counts = json.loads((project.folder / "metrics/data.json").read_text())["per_class"]
    return {name: [split["images"] for split in splits.values()] for name, splits in counts.items()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "yolox_q"}, "error: params.yaml: model is 'yolox_q'; it should be 'yolox_nano'"),
        (
            {"source": "openimages", "openimages": {"annotations": "/nowhere"}},
            "error: no such folder: the folder /nowhere is not there; check openimages.annotations",
        ),
        ({"train": {"pretrained": "gone.pth"}}, "error: gone.pth: no such file"),
        ({"train": {"lr": 1e30}}, "error: the loss is no number in batch"),
    ],
)
def test_bad_input_is_one_line_and_costs_nothing(
    project: Project, changes: dict[str, object], message: str
) -> None:
    before = checksums(project.folder)
    project.set_params(changes)
    output = project.run("dvc", "repro", fails=True)
    errors = [line for line in output.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert errors[0].startswith(message)
    assert "Traceback" not in output
    assert checksums(project.folder) == before


def test_a_remote_that_refuses_is_named(project: Project, s3: S3Server) -> None:
    options = s3.remote_options() | {"secret_access_key": "wrong", "url": f"s3://{BUCKET}"}
    for name, value in options.items():
        project.run("dvc", "remote", "modify", "--local", "storage", name, value)
    assert "Forbidden" in project.run("dvc", "push", fails=True)
    project.run("dvc", "remote", "modify", "--local", "storage", "url", "s3://no-such-bucket")
    project.run("dvc", "remote", "modify", "--local", "storage", "secret_access_key", s3.secret)
    assert "NoSuchBucket" in project.run("dvc", "push", fails=True)


def test_a_larger_limit_pays_for_the_new_photos_only(made_mirror: Path, tmp_path: Path) -> None:
    project = Project.copy(tmp_path / "project")
    with faulty_server(made_mirror) as server:
        project.set_params(
            {
                "source": "openimages",
                "openimages": {
                    "annotations": f"{server.address}/openimages",
                    "images": f"{server.address}/open-images-dataset",
                    "partial": True,
                },
            }
        )

        def asked_for(limit: int) -> tuple[set[str], set[str]]:
            """The photos, and the CSV files, that the server is asked for."""
            server.asked.clear()
            project.set_params({"limit_per_class": limit})
            project.run("dvc", "repro", "merge")
            names = [Path(name).name for name, _ in server.asked]
            return (
                {name for name in names if name.endswith(".jpg")},
                {name for name in names if name.endswith(".csv")},
            )

        few, csv_files = asked_for(1)
        assert few
        assert len(csv_files) == 7
        new, csv_files = asked_for(3)
        assert new
        assert not few & new
        assert not csv_files
        fetched = {path.name for path in project.folder.glob("data/raw/*/*/*.jpg")}
        assert fetched == few | new
        assert asked_for(1) == (set(), set())


if REAL_MIRROR.exists():

    def test_real_photos_and_coco_weights(project: Project, s3: S3Server) -> None:
        serve_photos(s3, REAL_MIRROR, "real-photos")
        with http_server(REAL_MIRROR) as address:
            project.run(
                *("dvc", "exp", "run", "--name", "real", "-S", "source=openimages"),
                *("-S", f"openimages.annotations={address}/openimages"),
                *("-S", "openimages.images=s3://real-photos"),
                *("-S", f"openimages.s3_endpoint={s3.endpoint}"),
                *("-S", "openimages.partial=true", "-S", "image_size=640"),
                *("-S", f"train.pretrained={COCO_CHECKPOINT.resolve()}"),
                # What the project has made small is as it comes.
                *("-S", "train.input_size=auto", "-S", "train.epochs=3"),
            )
        figures = json.loads((project.folder / "metrics/evaluate.json").read_text())
        # The nine amenities that COCO knows are found before the first step, and after the last.
        assert figures["coco"]["AP50"] > 0.75
        scores = project.folder / "metrics/train/plots/metrics/val/mAP50.tsv"
        step, start = scores.read_text().splitlines()[1].split("\t")
        assert step == "0"
        assert float(start) > 0.6
