"""Reading Open Images, and every way in which its files can be wrong."""

import shutil
from collections.abc import Callable
from pathlib import Path

import google_crc32c
import pandas as pd
import pytest

from dminity.core.amenities import NAME_OF_CODE, NAMES
from dminity.core.splits import SPLITS
from dminity.data import tables
from dminity.remote.faults import Unavailable
from dminity.sources.openimages import (
    BOXES_CSV,
    CLASSES_CSV,
    LABELS_CSV,
    BadAnnotations,
    OpenImages,
)
from dminity.sources.rooms import scene
from dminity.sources.settings import OpenImagesSettings
from tests.helpers.http_server import http_server
from tests.helpers.mirror import REAL_MIRROR, box_line
from tests.helpers.s3_server import S3Server

VALIDATION_CSV = BOXES_CSV["validation"]


def source(
    annotations: str, images: str = "/nowhere", endpoint: str = "http://0.0.0.0"
) -> OpenImages:
    """Open Images at these addresses."""
    return OpenImages(
        OpenImagesSettings(
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


@pytest.mark.parametrize("split", SPLITS)
def test_boxes_of_the_amenities_come_by_name(made_mirror: Path, split: str, tmp_path: Path) -> None:
    boxes = source(str(made_mirror / "openimages")).annotations(split, tmp_path).boxes
    assert list(boxes.columns) == list(tables.BOXES.names)
    assert set(boxes["split"]) == {split}
    assert len(boxes)
    for image_id, rows in boxes.groupby("image_id"):
        found = sorted(zip(rows["label"], rows["is_occluded"], strict=True))
        assert found == expected_boxes(str(image_id))


def test_verified_labels_say_what_is_there_and_what_is_not(
    made_mirror: Path, tmp_path: Path
) -> None:
    _, verified, _ = source(str(made_mirror / "openimages")).annotations("test", tmp_path)
    assert list(verified.columns) == list(tables.VERIFIED.names)
    for image_id, rows in verified.groupby("image_id"):
        shown = {label for label, _ in expected_boxes(str(image_id))}
        assert dict(zip(rows["label"], rows["present"], strict=True)) == {
            name: name in shown for name in NAMES
        }


def test_labels_come_as_published_even_where_people_do_not_agree(
    mirror: Path, tmp_path: Path
) -> None:
    path = mirror / LABELS_CSV["test"]
    some = "".join(
        f"{'a' * 16},{who},/m/03ssj5,{there}\n"
        for who, there in [("verification", 1), ("crowdsource-verification", 0)]
    )
    path.write_text(path.read_text() + some)
    verified = source(str(mirror)).annotations("test", tmp_path).verified
    rows = verified.loc[verified["image_id"] == "a" * 16, ["label", "present"]]
    assert rows.to_numpy().tolist() == [["Bed", True], ["Bed", False]]


def test_what_a_mirror_does_not_know_of_other_classes_it_has_nothing_of(
    mirror: Path, tmp_path: Path
) -> None:
    path = mirror / CLASSES_CSV
    content = path.read_bytes().decode()
    path.write_text(content.replace("/m/0703r8,Loveseat\r\n", ""))
    assert "Loveseat" not in path.read_text()
    assert "Bed" in set(read_boxes(mirror, tmp_path)["label"])
    path.write_text(content.replace("/m/0703r8,Loveseat", "/m/0703r8,Hammock"))
    with pytest.raises(BadAnnotations, match=r"/m/0703r8 \(Loveseat\) is Hammock"):
        read_boxes(mirror, tmp_path)


def test_what_was_read_is_said_with_its_checksum(made_mirror: Path, tmp_path: Path) -> None:
    files = source(str(made_mirror / "openimages")).annotations("validation", tmp_path).files
    assert [file.name for file in files] == [VALIDATION_CSV, LABELS_CSV["validation"]]
    content = (made_mirror / "openimages" / VALIDATION_CSV).read_bytes()
    kept = sum(content.count(f",{code},".encode()) for code in NAME_OF_CODE)
    assert files[0] == (
        VALIDATION_CSV,
        len(content),
        f"{google_crc32c.value(content):08x}",
        content.count(b"\n") - 1,
        kept,
    )


def test_paths_http_and_s3_give_the_same(
    made_mirror: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = s3.files()
    for bucket in ("openimages", "open-images-dataset"):
        files.mkdir(bucket)
        files.put(f"{made_mirror}/{bucket}/", f"{bucket}/", recursive=True)
    # A user's own AWS settings play no part in reading a public bucket.
    config = tmp_path / "config"
    config.write_text("[default]\nregion = nowhere\nendpoint_url = http://127.0.0.1:9\n")
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "wrong",
        "AWS_SESSION_TOKEN": "expired",
        "AWS_PROFILE": "nobody",
        "AWS_DEFAULT_REGION": "nowhere-1",
        "AWS_REGION": "nowhere-1",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "gone"),
        "AWS_CA_BUNDLE": str(tmp_path / "gone.pem"),
        "AWS_REQUEST_CHECKSUM_CALCULATION": "hostile",
        "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "hostile",
    }.items():
        monkeypatch.setenv(name, value)
    from_path = source(f"{made_mirror}/openimages", f"{made_mirror}/open-images-dataset")
    from_s3 = source("s3://openimages", "s3://open-images-dataset", s3.endpoint)
    expected = from_path.annotations("test", tmp_path / "path")
    image_id = expected.boxes["image_id"].iloc[0]
    with http_server(made_mirror) as address:
        from_http = source(f"{address}/openimages", f"{address}/open-images-dataset")
        for number, other in enumerate((from_s3, from_http)):
            found = other.annotations("test", tmp_path / str(number))
            pd.testing.assert_frame_equal(found.boxes, expected.boxes)
            pd.testing.assert_frame_equal(found.verified, expected.verified)
            assert found.files == expected.files
            assert other.photo("test", image_id) == from_path.photo("test", image_id)
            with pytest.raises(Unavailable, match="not found"):
                other.photo("test", "f" * 16)


if REAL_MIRROR.exists():

    def test_real_photos_boxes_are_all_read(tmp_path: Path) -> None:
        boxes = source(str(REAL_MIRROR / "openimages")).annotations("train", tmp_path).boxes
        text = (REAL_MIRROR / "openimages" / BOXES_CSV["train"]).read_text()
        assert len(boxes) == sum(text.count(f",{code},") for code in NAME_OF_CODE) > 0


def read_boxes(mirror: Path, work: Path) -> pd.DataFrame:
    """The boxes of the validation split."""
    return source(str(mirror)).annotations("validation", work).boxes


def test_unknown_flags_are_null(mirror: Path, tmp_path: Path) -> None:
    path = mirror / VALIDATION_CSV
    line = box_line("a" * 16, "/m/03ssj5", {"xmax": 1.0, "ymax": 1.0})
    path.write_text(path.read_text() + line.removesuffix("0,0,0,0,0") + "-1,1,0,-1,0\n")
    row = read_boxes(mirror, tmp_path).iloc[-1]
    assert pd.isna(row["is_occluded"])
    assert bool(row["is_truncated"])
    assert not bool(row["is_group_of"])


def with_a_bom(text: str) -> str:
    return "\ufeff" + text


def with_crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def with_columns_in_another_order(text: str) -> str:
    rows = [line.split(",") for line in text.splitlines()]
    return "".join(",".join(reversed(row)) + "\n" for row in rows)


def with_quoted_values(text: str) -> str:
    return "".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in text.splitlines()
    )


def with_a_quoted_comma(text: str) -> str:
    return text.replace(",xclick,", ',"clicked, extremely",')


def with_another_column(text: str) -> str:
    return "".join(f'"of /m/03ssj5, too",{line}\n' for line in text.splitlines())


@pytest.mark.parametrize(
    "change",
    [
        with_a_bom,
        with_crlf,
        with_columns_in_another_order,
        with_quoted_values,
        with_a_quoted_comma,
        with_another_column,
    ],
)
def test_a_csv_in_another_dress_reads_the_same(
    mirror: Path, tmp_path: Path, change: Callable[[str], str]
) -> None:
    expected = read_boxes(mirror, tmp_path / "as published")
    path = mirror / VALIDATION_CSV
    path.write_bytes(change(path.read_text()).encode())
    pd.testing.assert_frame_equal(read_boxes(mirror, tmp_path / "changed"), expected)


def damage_cut_in_a_row(text: str) -> str:
    return text[: text.rindex(",0,0")]


def damage_cut_in_the_last_value(text: str) -> str:
    return text.rstrip("\n")


def damage_cut_in_the_middle(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:5], lines[5][:30], *lines[8:]])


def damage_drop_a_column(text: str) -> str:
    return text.replace("XMin", "Left", 1)


def damage_no_number(text: str) -> str:
    return text + box_line("a" * 16, "/m/03ssj5", {}).replace(",0.0,", ",much,", 1) + "\n"


def damage_nul(text: str) -> str:
    return text.replace("/m/01g317", "/m/01\0g317", 1)


def damage_no_id(text: str) -> str:
    return text + box_line("../../etc/passwd", "/m/03ssj5", {}) + "\n"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_cut_in_a_row, r"the last line is cut off"),
        (damage_cut_in_the_last_value, r"the last line is cut off"),
        (damage_cut_in_the_middle, r"Expected 13 columns, got"),
        (damage_drop_a_column, r"Column 'XMin' .*does not exist"),
        (damage_no_number, r"CSV conversion error to double: invalid value 'much'"),
        (damage_nul, r"a NUL byte in the line that begins with b'[0-9a-f]{16},xclick"),
        (damage_no_id, r"'../../etc/passwd' is no image id"),
        (lambda text: "a" * 5_000_000 + "\n", r"a line of more than 65536 bytes"),
        (lambda text: "", r"it is empty"),
    ],
)
def test_a_damaged_csv_is_named(
    mirror: Path, tmp_path: Path, damage: Callable[[str], str], message: str
) -> None:
    path = mirror / VALIDATION_CSV
    path.write_text(damage(path.read_text()))
    with pytest.raises(BadAnnotations, match=message) as caught:
        read_boxes(mirror, tmp_path)
    assert VALIDATION_CSV in str(caught.value)
    assert "check openimages.annotations" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [VALIDATION_CSV, LABELS_CSV["validation"], CLASSES_CSV])
def test_a_missing_csv_is_named(mirror: Path, tmp_path: Path, name: str) -> None:
    (mirror / name).unlink()
    with pytest.raises(BadAnnotations, match=f"^not found: .*{name}: No such file"):
        read_boxes(mirror, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("/m/03ssj5,Bed\n", "", r"/m/03ssj5 \(Bed\) is not there"),
        ("/m/03ssj5,Bed\n", "/m/03ssj5,Bunk bed\n", r"/m/03ssj5 \(Bed\) is Bunk bed"),
    ],
)
def test_a_code_that_means_something_else_is_named(
    mirror: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = mirror / CLASSES_CSV
    content = path.read_bytes().decode().replace("\r\n", "\n")
    assert old in content
    path.write_text(content.replace(old, new))
    with pytest.raises(BadAnnotations, match=message):
        read_boxes(mirror, tmp_path)
