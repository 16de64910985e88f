"""Photos on disk: fetched whole, resized right."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dminity.data.fetching.download import Rejected, fetch_photos
from dminity.data.fetching.settings import FetchSettings
from dminity.data.resizing import PhotoUnreadable, resize_photo, resize_photos


def jpeg(width: int = 40, height: int = 30, mode: str = "RGB") -> bytes:
    """A JPEG file whose left half is bright."""
    photo = Image.new(mode, (width, height))
    bright: dict[str, float | tuple[float, ...]] = {
        "RGB": (250, 200, 40),
        "L": 220,
        "CMYK": (5, 30, 200, 0),
    }
    photo.paste(bright[mode], (0, 0, width // 2, height))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=95)
    return file.getvalue()


class Server:
    """Has some photos. Faults are in tests/test_faults.py."""

    def __init__(self, **photos: bytes) -> None:
        self.photos = photos
        self.asked: list[str] = []

    def read(self, split: str, image_id: str) -> bytes:
        """A photo."""
        self.asked.append(image_id)
        return self.photos[image_id]


def fetch(server: Server, folder: Path, *ids: str) -> list[Rejected]:
    """Fetch photos of the train split, three attempts each."""
    (folder / "train").mkdir(exist_ok=True)
    settings = FetchSettings(connections=2, attempts=3, min_side=16, max_missing=1.0)
    photos = [("train", image_id) for image_id in ids]
    return fetch_photos(photos, server.read, folder, settings)


def test_photos_are_kept_byte_for_byte_and_not_fetched_twice(tmp_path: Path) -> None:
    server = Server(a=jpeg(), b=jpeg(20))
    fetch(server, tmp_path, "a", "b")
    fetch(server, tmp_path, "a", "b")
    assert (tmp_path / "train" / "a.jpg").read_bytes() == jpeg()
    assert sorted(server.asked) == ["a", "b"]


def test_a_damaged_photo_on_disk_is_fetched_again(tmp_path: Path) -> None:
    server = Server(a=jpeg())
    fetch(server, tmp_path, "a")
    path = tmp_path / "train" / "a.jpg"
    path.write_bytes(jpeg()[:200])
    fetch(server, tmp_path, "a")
    assert path.read_bytes() == jpeg()


def test_photos_that_nobody_asks_for_are_removed(tmp_path: Path) -> None:
    server = Server(a=jpeg(), b=jpeg())
    fetch(server, tmp_path, "a", "b")
    fetch(server, tmp_path, "b")
    assert [path.name for path in tmp_path.glob("*/*")] == ["b.jpg"]


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
