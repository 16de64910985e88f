"""Odd photos are accepted and seen as they look, damaged ones refused for the true reason."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import imagehash
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from dminity.core import ending
from dminity.core.errors import DminityError
from dminity.data.checking.fingerprints import fingerprint
from dminity.data.fetching.verification import BadPhoto, verify
from dminity.data.resizing import PhotoUnreadable, resize_photo
from dminity.data.voc import photo_path, read_photo

SIDE = 64


def scene() -> NDArray[np.uint8]:
    """A photo with light, shade and detail: [64, 64] of gray."""
    y, x = np.mgrid[:SIDE, :SIDE]
    noise = np.random.default_rng(0).integers(0, 40, (SIDE, SIDE))
    pixels = 40 + x * 2 + 30 * (np.hypot(x - 40, y - 20) < 14) + noise
    return np.asarray(pixels, np.uint8)


def file_of(photo: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """A photo as a file."""
    file = io.BytesIO()
    photo.save(file, kind, **options)
    return file.getvalue()


def photo_of(mode: str) -> Image.Image:
    """The scene in a mode of Pillow."""
    gray = scene()
    if mode == "16 bits":
        return Image.fromarray(gray.astype(np.uint16) * 257)
    if mode == "palette with a transparent color":
        photo = Image.fromarray(gray).convert("P")
        photo.info["transparency"] = 255
        return photo
    return Image.fromarray(gray).convert(mode)


def gray_of(path: Path) -> NDArray[np.int64]:
    """The brightness of each pixel of a photo on disk."""
    with Image.open(path) as photo:
        return np.asarray(photo.convert("L"), np.int64)


def large_jpeg() -> bytes:
    """A JPEG of noise, far larger than what is damaged in it."""
    pixels = np.random.default_rng(1).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    return file_of(Image.fromarray(pixels), "JPEG", quality=90)


def zeroed(content: bytes, start: int, length: int = 4096) -> bytes:
    """A file of which a part was lost."""
    return content[:start] + bytes(length) + content[start + length :]


MODES = ["16 bits", "L", "LA", "RGB", "RGBA", "P", "palette with a transparent color"]


@pytest.mark.parametrize("mode", MODES)
def test_photos_of_any_depth_keep_their_brightness(tmp_path: Path, mode: str) -> None:
    (tmp_path / "photo").write_bytes(file_of(photo_of(mode)))
    verify((tmp_path / "photo").read_bytes(), 16)
    resize_photo(tmp_path / "photo", tmp_path / "small.jpg", SIDE, 95)
    written = gray_of(tmp_path / "small.jpg")
    assert np.abs(written - scene()).mean() < 5


@pytest.mark.parametrize("mode", MODES)
def test_photos_of_any_depth_look_alike_to_check(tmp_path: Path, mode: str) -> None:
    (tmp_path / "gray").write_bytes(file_of(photo_of("L")))
    (tmp_path / "photo").write_bytes(file_of(photo_of(mode)))
    looks = fingerprint(tmp_path / "gray").look, fingerprint(tmp_path / "photo").look
    assert (looks[0] ^ looks[1]).bit_count() <= 2


def test_one_bit_a_pixel_is_black_and_white(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(file_of(Image.fromarray(scene() > 128)))
    resize_photo(tmp_path / "photo", tmp_path / "small.jpg", SIDE, 95)
    written = gray_of(tmp_path / "small.jpg")
    assert np.abs(written - 255 * (scene() > 128)).mean() < 5


@pytest.mark.parametrize("zeros", [1, 2, 258, 5000])
def test_padding_before_the_end_marker_is_no_damage(tmp_path: Path, zeros: int) -> None:
    sound = large_jpeg()
    (tmp_path / "photo").write_bytes(sound[:-2] + bytes(zeros) + sound[-2:])
    verify((tmp_path / "photo").read_bytes(), 16)
    resize_photo(tmp_path / "photo", tmp_path / "small.jpg", SIDE, 95)
    with Image.open(tmp_path / "small.jpg") as small:
        assert small.size == (SIDE, SIDE)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(zeroed(large_jpeg(), 9000), "damaged", id="4 KB in the middle are lost"),
        pytest.param(zeroed(large_jpeg(), -4098), "damaged", id="the last 4 KB are lost"),
        pytest.param(large_jpeg()[:9000], "truncated", id="a JPEG ends too early"),
        pytest.param(large_jpeg()[:-2], "truncated", id="the end marker is missing"),
        pytest.param(file_of(photo_of("RGB"))[:900], "truncated", id="a PNG ends too early"),
        pytest.param(
            zeroed(file_of(photo_of("RGB")), 400, 64), "damaged", id="64 bytes of a PNG are lost"
        ),
    ],
)
def test_lost_bytes_are_refused_for_the_true_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(BadPhoto) as refusal:
        verify(content, 16)
    assert refusal.value.reason == reason
    (tmp_path / "photo").write_bytes(content)
    with pytest.raises(PhotoUnreadable, match="photo: "):
        resize_photo(tmp_path / "photo", tmp_path / "small.jpg", SIDE, 95)
    assert not (tmp_path / "small.jpg").exists()


LITTLE_MEMORY = {
    "Pillow": (Image, "open", MemoryError()),
    "libjpeg": (simplejpeg, "decode_jpeg", ValueError("Insufficient memory (case 4)")),
    "Pillow's decoders": (imagehash, "phash", OSError("out of memory when reading image file")),
    "OpenCV": (cv2, "imdecode", cv2.error("(-4:Insufficient memory) Failed to allocate 9 bytes")),
}
LOOKERS: dict[str, tuple[list[str], Callable[[Path], object]]] = {
    "fetch": (["Pillow", "libjpeg"], lambda path: verify(path.read_bytes(), 16)),
    "resize": (["Pillow", "libjpeg"], lambda path: resize_photo(path, path.with_name("b"), 9, 90)),
    "check": (["Pillow", "Pillow's decoders"], fingerprint),
    "train": (["OpenCV"], lambda path: read_photo(path.parents[1], path.stem)),
}


@pytest.mark.parametrize(
    ("stage", "library"), [(stage, lib) for stage, (libs, _) in LOOKERS.items() for lib in libs]
)
def test_too_little_memory_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, library: str
) -> None:
    path = photo_path(tmp_path, "a")
    path.parent.mkdir()
    path.write_bytes(large_jpeg())
    module, function, error = LITTLE_MEMORY[library]

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(module, function, fail)
    with pytest.raises(type(error)) as caught:
        LOOKERS[stage][1](path)
    assert caught.value is error
    assert ending.explained(error).startswith("out of memory")


def test_a_photo_that_fits_is_copied_to_the_byte(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(large_jpeg())
    assert resize_photo(tmp_path / "photo", tmp_path / "same.jpg", 256, 50) == (256, 256)
    assert (tmp_path / "same.jpg").read_bytes() == large_jpeg()


def test_a_photo_too_long_for_a_jpeg_is_named(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(file_of(Image.new("L", (70_000, 1))))
    with pytest.raises(DminityError, match=r"photo: 70000 x 1 pixels .*lower image_size"):
        resize_photo(tmp_path / "photo", tmp_path / "out.jpg", 100_000, 90)
