"""`dminity predict`: what it prints and saves."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from faster_coco_eval import COCO
from PIL import Image

from dminity.commands.prediction_formats import BY_NAME
from dminity.detection.detections import Detections
from dminity.network.detector import load_detector
from dminity.runtime.finding import Seen
from dminity.runtime.model_file import Description
from tests.helpers.onnx_models import write_bright_model
from tests.helpers.photos import jpeg
from tests.helpers.programs import dminity, errors
from tests.helpers.videos import write_video

MODEL = "models/model.onnx"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a model, and two photos: a bed on the left, a bed and a sink."""
    (tmp_path / "models").mkdir()
    write_bright_model(tmp_path / MODEL, threshold=0.5)
    photos = tmp_path / "flat"
    photos.mkdir()
    both = Image.new("RGB", (200, 100), "white")
    both.save(photos / "both.png")
    left = Image.new("RGB", (64, 64))
    left.paste("white", (0, 0, 32, 64))
    left.save(photos / "left.png")
    return tmp_path


def found(folder: Path, *arguments: str, stdin: bytes = b"") -> Any:
    """What it prints as JSON."""
    done = dminity(folder, "predict", *arguments, "--json", stdin=stdin)
    assert not errors(done)
    return json.loads(done.stdout)


def test_a_table_for_people(folder: Path) -> None:
    Image.new("RGB", (64, 64)).save(folder / "flat/nothing.png")
    done = dminity(folder, "predict", "flat")
    assert done.stdout.splitlines() == [
        "photo             class    score  left  top  right  bottom",
        "flat/both.png     Bed       0.72     0    0    100     100",
        "flat/both.png     Sink      0.72   100    0    200     100",
        "flat/left.png     Bed       1.00     0    0     32      64",
        "flat/nothing.png  nothing",
    ]
    assert not errors(done)


def test_json_for_programs(folder: Path) -> None:
    assert found(folder, "flat") == {
        "photos": [
            {
                "photo": "flat/both.png",
                "width": 200,
                "height": 100,
                "detections": [
                    {"class": "Bed", "score": 0.7235, "box": [0.0, 0.0, 100.0, 100.0]},
                    {"class": "Sink", "score": 0.7235, "box": [100.0, 0.0, 200.0, 100.0]},
                ],
                "saved": None,
            },
            {
                "photo": "flat/left.png",
                "width": 64,
                "height": 64,
                "detections": [{"class": "Bed", "score": 1.0, "box": [0.0, 0.0, 32.0, 64.0]}],
                "saved": None,
            },
        ],
        "failed": [],
    }


def test_csv_has_a_row_for_each_box(folder: Path) -> None:
    done = dminity(folder, "predict", "flat", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["photo"] for row in rows] == ["flat/both.png", "flat/both.png", "flat/left.png"]
    assert rows[1] == {
        "photo": "flat/both.png", "class": "Sink", "score": "0.7235",
        "left": "100.0", "top": "0.0", "right": "200.0", "bottom": "100.0",
    }  # fmt: skip


def test_csv_is_written_as_soon_as_a_photo_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(pipe, encoding="utf-8"))
    bed = Detections(np.array([[0.0, 0, 9, 9]]), np.array([0.5]), np.array([0]))

    def looked_at() -> Iterator[Seen[Path | None]]:
        yield Seen[Path | None]("a.jpg", 9, 9, bed, None)
        assert pipe.getvalue().endswith(b"a.jpg,Bed,0.5,0.0,0.0,9.0,9.0\n")

    model = Description("yolox_nano", ("Bed",), (64, 64), (0.5,))
    BY_NAME["csv"](looked_at(), model, [])


def test_coco_is_read_by_cocos_own_tools(folder: Path) -> None:
    done = dminity(folder, "predict", "flat", "--coco")
    content = json.loads(done.stdout)
    truth = COCO(content)
    assert [image["file_name"] for image in truth.loadImgs([1, 2])] == [
        "flat/both.png",
        "flat/left.png",
    ]
    assert [category["name"] for category in truth.loadCats(truth.getCatIds())] == ["Bed", "Sink"]
    results = truth.loadRes(content["annotations"])
    (sink,) = results.loadAnns(results.getAnnIds(catIds=[2]))
    assert (sink["image_id"], sink["bbox"], sink["score"]) == (1, [100, 0, 100, 100], 0.7235)


def test_the_thresholds_are_the_models_or_the_users(folder: Path) -> None:
    write_bright_model(folder / MODEL, threshold=0.8)
    assert [len(photo["detections"]) for photo in found(folder, "flat")["photos"]] == [0, 1]
    lower = found(folder, "flat", "--min-score", "0.3")
    assert [len(photo["detections"]) for photo in lower["photos"]] == [2, 1]


def test_a_second_box_of_a_class_has_to_be_surer(folder: Path) -> None:
    write_bright_model(folder / MODEL, threshold=0.1, beds_only=True)
    photo = Image.new("RGB", (64, 64))
    photo.paste((90, 90, 90), (0, 0, 64, 64))
    photo.save(folder / "flat/both.png")
    photo.save(folder / "flat/left.png")

    def numbers(*arguments: str) -> list[int]:
        photos = found(folder, "flat", *arguments)["photos"]
        return [len(photo["detections"]) for photo in photos]

    assert numbers() == [1, 1]
    assert numbers("--min-score", "0.1") == [2, 2]


def test_some_classes_only_however_they_are_written(folder: Path) -> None:
    photos = found(folder, "flat", "--classes", "sink")["photos"]
    assert [[item["class"] for item in photo["detections"]] for photo in photos] == [["Sink"], []]
    photos = found(folder, "flat", "--classes", "Sink, BED")["photos"]
    assert [len(photo["detections"]) for photo in photos] == [2, 1]


def test_a_photo_from_standard_input(folder: Path) -> None:
    (photo,) = found(folder, "-", stdin=jpeg())["photos"]
    assert photo["photo"] == "standard input"
    assert (photo["width"], photo["detections"][0]["class"]) == (40, "Bed")


def test_frames_of_a_video(folder: Path) -> None:
    write_video(folder / "clip.mp4")
    photos = found(folder, "clip.mp4")["photos"]
    assert [(photo["photo"], photo["detections"][0]["class"]) for photo in photos] == [
        ("clip.mp4@0.0s", "Bed"),
        ("clip.mp4@1.0s", "Bed"),
        ("clip.mp4@2.0s", "Sink"),
    ]
    assert len(found(folder, "clip.mp4", "--every", "0.5")["photos"]) == 6


def test_names_are_true_in_json_and_in_one_line_elsewhere(folder: Path) -> None:
    names = ["two words.jpg", "salón.jpg", "new\nline.jpg", "dot\u202e.jpg"]
    for name in names:
        (folder / name).write_bytes(jpeg())
    photos = found(folder, *names)["photos"]
    assert [photo["photo"] for photo in photos] == names
    table = dminity(folder, "predict", *names).stdout.splitlines()
    shown = ["two words.jpg", "salón.jpg", "new\\nline.jpg", "dot\\u202e.jpg"]
    assert [line.partition("  ")[0] for line in table[1:]] == shown
    rows = csv.DictReader(io.StringIO(dminity(folder, "predict", *names, "--csv").stdout))
    assert [row["photo"] for row in rows] == names


def test_one_thread_finds_what_many_find(folder: Path) -> None:
    for number in range(40):
        (folder / f"flat/{number}.jpg").write_bytes(jpeg(40 + number, 60))
    assert found(folder, "flat", "--threads", "1") == found(folder, "flat", "--threads", "4")


# What it saves.


def test_photos_are_saved_with_their_boxes(folder: Path) -> None:
    photos = found(folder, "flat", "--save", "out/deep")["photos"]
    assert [photo["saved"] for photo in photos] == [
        "out/deep/flat-both.jpg",
        "out/deep/flat-left.jpg",
    ]
    drawn = np.asarray(cv2.imread(str(folder / "out/deep/flat-both.jpg")), np.int64)
    # No larger than it was read.
    assert drawn.shape == (50, 100, 3)
    # The frame of the bed is red, its inside as it was.
    assert drawn[40, 1, 2] > drawn[40, 1, 0] + 80
    assert (drawn[40, 10:40] > 240).all()


def test_saved_names_neither_collide_nor_escape(folder: Path) -> None:
    outside = folder / "outside"
    names = ["a/room.jpg", "a-room.jpg", "A-room.png", "a/new\nline.jpg", ".hidden.jpg", "--.jpg"]
    for name in names:
        (outside / name).parent.mkdir(parents=True, exist_ok=True)
        (outside / name).write_bytes(jpeg())
    long = "x" * 240 + ".jpg"
    (outside / long).write_bytes(jpeg())
    (folder / "deep/er").mkdir(parents=True)
    arguments = [f"../../outside/{name}" for name in (*names, long)]
    done = dminity(
        folder / "deep/er", "predict", "--model", folder / MODEL, *arguments, "--save", "out"
    )
    assert not errors(done)
    assert {path.name for path in (folder / "deep/er/out").iterdir()} == {
        "outside-a-room.jpg",
        "outside-a-room-2.jpg",
        "outside-A-room-3.jpg",
        "outside-a-new_nline.jpg",
        "outside-.hidden.jpg",
        "outside---.jpg",
        "x" * 200 + ".jpg",
    }
    assert {path.name for path in (folder / "deep/er").iterdir()} == {"out"}


def test_pictures_of_the_same_name_are_saved_each(folder: Path) -> None:
    (folder / "standard input").write_bytes(jpeg(60, 60))
    photos = found(folder, "-", "standard input", "--save", "out", stdin=jpeg())["photos"]
    assert [photo["saved"] for photo in photos] == [
        "out/standard input.jpg",
        "out/standard input-2.jpg",
    ]
    for photo in photos:
        with Image.open(folder / photo["saved"]) as saved:
            assert saved.size == (photo["width"], photo["height"])


def test_a_photo_is_never_written_over(folder: Path) -> None:
    photos = folder / "flat"
    (photos / "room.jpg").write_bytes(jpeg())
    for _ in range(2):
        done = dminity(photos, "predict", "--model", folder / MODEL, "room.jpg", "--save", ".")
        assert not errors(done)
    assert (photos / "room.jpg").read_bytes() == jpeg()
    assert {path.name for path in photos.iterdir()} == {
        "both.png", "left.png", "room.jpg", "room-2.jpg",
    }  # fmt: skip


def test_a_photo_that_a_link_leads_to_is_never_written_over(folder: Path) -> None:
    (folder / "store").mkdir()
    (folder / "store/links-room.jpg").write_bytes(jpeg())
    (folder / "links").mkdir()
    (folder / "links/room.jpg").symlink_to("../store/links-room.jpg")
    assert found(folder, "links", "--save", "store")["photos"][0]["saved"] == (
        "store/links-room-2.jpg"
    )
    assert (folder / "store/links-room.jpg").read_bytes() == jpeg()


# What it costs.

MODULES = "import atexit, sys\natexit.register(lambda: print(*sys.modules, file=sys.stderr))"
HEAVY = {"torch", "pandas", "pydantic", "rich", "onnx", "dvc", "lightning", "yolox", "yaml"}


@pytest.mark.parametrize(
    "arguments", [["predict", "flat", "--save", "out"], ["listing", "flat", "--html", "page.html"]]
)
def test_it_imports_neither_pytorch_nor_pandas_nor_pydantic(
    folder: Path, arguments: list[str]
) -> None:
    done = dminity(folder, *arguments, prelude=MODULES)
    assert done.returncode == 0, done.stderr
    modules = done.stderr.splitlines()[-1].split()
    assert "onnxruntime" in modules
    assert not HEAVY & set(modules)


def test_that_test_would_see_them(folder: Path) -> None:
    done = dminity(folder, "predict", "flat", prelude=f"{MODULES}\nimport pydantic")
    assert "pydantic" in done.stderr.split()


# With a detector that has learned something.


@pytest.mark.slow
def test_a_real_detector_finds_what_it_finds_in_pytorch(
    trained: tuple[Path, Path], exported: Path, tmp_path: Path
) -> None:
    network = load_detector(trained[0])
    rooms = trained[0].parent / "voc/JPEGImages"
    paths = sorted(rooms.glob("*.jpg"))[:8]
    arguments = ("--model", str(exported), "--min-score", "0.3", *map(str, paths))
    photos = found(tmp_path, *arguments)["photos"]
    assert len(photos) == 8
    for path, photo in zip(paths, photos, strict=True):
        (expected,) = network.find([np.asarray(cv2.imread(str(path)), np.uint8)])
        shown = expected.scores >= 0.3
        assert [item["class"] for item in photo["detections"]] == named(expected, shown, network)
        boxes = [item["box"] for item in photo["detections"]]
        np.testing.assert_allclose(boxes, expected.xyxy_pixels[shown], atol=0.1)


def named(found: Detections, shown: Any, network: Any) -> list[str]:
    """The classes of what is shown."""
    return [network.classes[class_id] for class_id in found.class_ids[shown]]
