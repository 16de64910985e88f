"""Photos are resized right."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dminity.data.resizing import PhotoUnreadable, resize_photo, resize_photos
from tests.helpers.photos import jpeg


def resized(content: bytes, folder: Path, long_side: int = 16) -> Image.Image:
    """What becomes of a published photo."""
    (folder / "in").write_bytes(content)
    resize_photo(folder / "in", folder / "out.jpg", long_side, 95)
    photo = Image.open(folder / "out.jpg")
    photo.load()
    return photo


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (40, 30, (16, 12)),
        (30, 40, (12, 16)),
        (1000, 3, (16, 1)),
        (10, 8, (10, 8)),  # smaller ones are not enlarged
    ],
)
def test_the_long_side_is_what_was_asked_for(
    tmp_path: Path, width: int, height: int, size: tuple[int, int]
) -> None:
    assert resized(jpeg(width, height), tmp_path).size == size


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_every_kind_of_jpeg_becomes_rgb_of_the_same_look(tmp_path: Path, mode: str) -> None:
    photo = resized(jpeg(mode=mode), tmp_path)
    expected = Image.open(io.BytesIO(jpeg(mode=mode))).convert("RGB").resize(photo.size)
    assert (photo.format, photo.mode) == ("JPEG", "RGB")
    away_from_the_edge = np.s_[:, [0, 1, 2, 3, 12, 13, 14, 15]]
    difference = (
        np.asarray(photo, int)[away_from_the_edge] - np.asarray(expected, int)[away_from_the_edge]
    )
    assert np.abs(difference).max() <= 12


def test_transparent_parts_become_white(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (16, 16), (0, 0, 255, 0)).save(file, "PNG")
    assert np.asarray(resized(file.getvalue(), tmp_path)).min() >= 250


def test_exif_orientation_is_applied_and_gone(tmp_path: Path) -> None:
    turned = Image.open(io.BytesIO(jpeg()))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees, clockwise
    file = io.BytesIO()
    turned.save(file, "JPEG", exif=exif)
    photo = resized(file.getvalue(), tmp_path)
    assert photo.size == (12, 16)
    assert not photo.getexif()
    top, bottom = np.asarray(photo, int)[1].sum(), np.asarray(photo, int)[-2].sum()
    assert top > bottom + 1000  # what was left is now above


@pytest.mark.parametrize("content", [b"no photo", jpeg(400, 300)[:-200], b""])
def test_a_photo_that_does_not_decode_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.jpg").write_bytes(content)
    with pytest.raises(PhotoUnreadable, match=r"bad\.jpg: .*; delete it and run `dvc repro` again"):
        resize_photos([(tmp_path / "bad.jpg", tmp_path / "out.jpg")], 16, 90)
