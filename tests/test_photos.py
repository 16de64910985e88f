"""Photos on disk: fetched whole, resized right."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dminity.photos.download import PhotoNotFetched, fetch_photos
from dminity.photos.resize import PhotoUnreadable, resize_photo, resize_photos


def jpeg(width: int = 40, height: int = 30, mode: str = "RGB") -> bytes:
    """A JPEG file whose left half is bright."""
    photo = Image.new(mode, (width, height))
    bright = {"RGB": (250, 200, 40), "L": 220, "CMYK": (5, 30, 200, 0)}[mode]
    photo.paste(bright, (0, 0, width // 2, height))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=95)
    return file.getvalue()


class Server:
    """Answers requests for photos from a list per photo, the last answer for ever."""

    def __init__(self, **answers: list[bytes | OSError]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def read(self, split: str, image_id: str) -> bytes:
        """The next answer."""
        self.asked.append(image_id)
        waiting = self.answers[image_id]
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, OSError):
            raise answer
        return answer


def fetch(server: Server, folder: Path, *ids: str) -> None:
    """Fetch photos of the train split, three attempts each."""
    fetch_photos([("train", image_id) for image_id in ids], server.read, folder, 2, 3)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other at once."""
    monkeypatch.setattr("dminity.photos.download.FIRST_PAUSE_S", 0)


def test_photos_are_kept_byte_for_byte_and_not_fetched_twice(tmp_path: Path) -> None:
    server = Server(a=[jpeg()], b=[jpeg(20)])
    fetch(server, tmp_path, "a", "b")
    fetch(server, tmp_path, "a", "b")
    assert (tmp_path / "train" / "a.jpg").read_bytes() == jpeg()
    assert sorted(server.asked) == ["a", "b"]


def test_a_damaged_photo_on_disk_is_fetched_again(tmp_path: Path) -> None:
    server = Server(a=[jpeg()])
    fetch(server, tmp_path, "a")
    path = tmp_path / "train" / "a.jpg"
    path.write_bytes(jpeg()[:200])
    fetch(server, tmp_path, "a")
    assert path.read_bytes() == jpeg()


def test_photos_that_nobody_asks_for_are_removed(tmp_path: Path) -> None:
    server = Server(a=[jpeg()], b=[jpeg()])
    fetch(server, tmp_path, "a", "b")
    fetch(server, tmp_path, "b")
    assert [path.name for path in tmp_path.glob("*/*")] == ["b.jpg"]


def test_a_passing_fault_is_survived(tmp_path: Path) -> None:
    server = Server(a=[OSError("reset by peer"), jpeg()[:-100], jpeg()])
    fetch(server, tmp_path, "a")
    assert (tmp_path / "train" / "a.jpg").read_bytes() == jpeg()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>Not here</html>", r"train/bad: no photo, or cut off: cannot identify"),
        (jpeg()[:300], r"train/bad: no photo, or cut off: .*[Tt]runcated"),
        (FileNotFoundError("bad.jpg"), r"train/bad: not found"),
        (OSError("timed out"), r"train/bad: OSError: timed out \(3 attempts\)"),
    ],
)
def test_a_lasting_fault_is_named_and_the_other_photos_are_kept(
    tmp_path: Path, answer: bytes | OSError, message: str
) -> None:
    server = Server(bad=[answer], good=[jpeg()])
    with pytest.raises(
        PhotoNotFetched, match=rf"1 of 2 photos are missing.*{message}.*run it again"
    ):
        fetch(server, tmp_path, "bad", "good")
    assert [path.name for path in tmp_path.glob("*/*")] == ["good.jpg"]


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
