"""Reading Open Images, and every way in which its files can be wrong."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from conftest import http_server
from mirror import REAL_MIRROR, box_line
from s3_server import S3Server

from dminity import params, tables
from dminity.amenities import NAME_OF_CODE
from dminity.rooms import scene
from dminity.sources.openimages import BOXES_CSV, CLASSES_CSV, BadAnnotations, OpenImages

VALIDATION_CSV = BOXES_CSV["validation"]


def source(
    annotations: str, images: str = "/nowhere", endpoint: str = "http://0.0.0.0"
) -> OpenImages:
    """Open Images at these addresses."""
    return OpenImages(
        params.OpenImages(
            annotations=annotations, images=images, s3_endpoint=endpoint, partial=True
        )
    )


@pytest.fixture
def mirror(made_mirror: Path, tmp_path: Path) -> Path:
    """The annotations of a mirror, to be damaged."""
    return Path(shutil.copytree(made_mirror / "openimages", tmp_path / "openimages"))


def expected_boxes(image_id: str) -> list[tuple[str, bool]]:
    """Label and occlusion flag of every box in a rendered room."""
    return sorted((box.label, box.is_occluded) for box in scene.describe(image_id))


@pytest.mark.parametrize("split", tables.SPLITS)
def test_boxes_of_the_amenities_come_by_name(made_mirror: Path, split: str) -> None:
    boxes = source(str(made_mirror / "openimages")).boxes(split)
    assert list(boxes.columns) == list(tables.BOXES.names)
    assert set(boxes["split"]) == {split}
    assert len(boxes)
    for image_id, rows in boxes.groupby("image_id"):
        found = sorted(zip(rows["label"], rows["is_occluded"], strict=True))
        assert found == expected_boxes(str(image_id))


def test_paths_http_and_s3_give_the_same(
    made_mirror: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = s3.files()
    for bucket in ("openimages", "open-images-dataset"):
        files.mkdir(bucket)
        files.put(f"{made_mirror}/{bucket}/", f"{bucket}/", recursive=True)
    # A user's own AWS settings play no part in reading a public bucket.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    from_path = source(f"{made_mirror}/openimages", f"{made_mirror}/open-images-dataset")
    from_s3 = source("s3://openimages", "s3://open-images-dataset", s3.endpoint)
    expected = from_path.boxes("test")
    image_id = expected["image_id"].iloc[0]
    with http_server(made_mirror) as address:
        from_http = source(f"{address}/openimages", f"{address}/open-images-dataset")
        for other in (from_s3, from_http):
            pd.testing.assert_frame_equal(other.boxes("test"), expected)
            assert other.photo("test", image_id) == from_path.photo("test", image_id)
            with pytest.raises(FileNotFoundError):
                other.photo("test", "f" * 16)


if REAL_MIRROR.exists():

    def test_real_photos_boxes_are_all_read() -> None:
        boxes = source(str(REAL_MIRROR / "openimages")).boxes("train")
        text = (REAL_MIRROR / "openimages" / BOXES_CSV["train"]).read_text()
        assert len(boxes) == sum(text.count(f",{code},") for code in NAME_OF_CODE) > 0


def test_unknown_flags_are_null(mirror: Path) -> None:
    path = mirror / VALIDATION_CSV
    line = box_line("a" * 16, "/m/03ssj5", {"xmax": 1.0, "ymax": 1.0})
    path.write_text(path.read_text() + line.removesuffix("0,0,0,0,0") + "-1,1,0,-1,0\n")
    row = source(str(mirror)).boxes("validation").iloc[-1]
    assert pd.isna(row["is_occluded"])
    assert bool(row["is_truncated"])
    assert not bool(row["is_group_of"])


def damage_cut_in_a_row(text: str) -> str:
    return text[: text.rindex(",0,0")]


def damage_cut_in_the_last_value(text: str) -> str:
    return text.rstrip("\n")


def damage_drop_a_column(text: str) -> str:
    return text.replace("XMin", "Left", 1)


def damage_no_number(text: str) -> str:
    return text + box_line("a" * 16, "/m/03ssj5", {}).replace(",0.0,", ",much,", 1) + "\n"


def damage_outside(text: str) -> str:
    return text + box_line("a" * 16, "/m/03ssj5", {"xmax": 1.5, "ymax": 1.0}) + "\n"


def damage_reversed(text: str) -> str:
    return text + box_line("a" * 16, "/m/03ssj5", {"ymin": 0.9, "ymax": 0.2, "xmax": 1}) + "\n"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_cut_in_a_row, r"Expected 13 columns"),
        (damage_cut_in_the_last_value, r"the last line is cut off"),
        (damage_drop_a_column, r"Column 'XMin' .*does not exist"),
        (damage_no_number, r"CSV conversion error to double: invalid value 'much'"),
        (damage_outside, r"image a{16}: box outside 0-1: .*xmax 1\.5"),
        (damage_reversed, r"image a{16}: box reversed: .*ymin 0\.9"),
        (lambda text: "", r"Empty CSV file"),
    ],
)
def test_a_damaged_csv_is_named(mirror: Path, damage: object, message: str) -> None:
    path = mirror / VALIDATION_CSV
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    with pytest.raises(BadAnnotations, match=message) as caught:
        source(str(mirror)).boxes("validation")
    assert VALIDATION_CSV in str(caught.value)
    assert "check openimages.annotations" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_csv_is_named(mirror: Path) -> None:
    (mirror / VALIDATION_CSV).unlink()
    with pytest.raises(BadAnnotations, match=VALIDATION_CSV):
        source(str(mirror)).boxes("validation")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("/m/03ssj5,Bed\n", "", r"/m/03ssj5 \(Bed\) is not there"),
        ("/m/03ssj5,Bed\n", "/m/03ssj5,Bunk bed\n", r"/m/03ssj5 \(Bed\) is Bunk bed"),
    ],
)
def test_a_code_that_means_something_else_is_named(
    mirror: Path, old: str, new: str, message: str
) -> None:
    path = mirror / CLASSES_CSV
    content = path.read_bytes().decode().replace("\r\n", "\n")
    assert old in content
    path.write_text(content.replace(old, new))
    with pytest.raises(BadAnnotations, match=message):
        source(str(mirror)).boxes("validation")
