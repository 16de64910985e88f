"""Any photo of a user is read as it looks, upright; others are refused for the true reason."""

import io
import struct
import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from dminity.runtime.photo import MARGIN, BadPhoto, read_photo
from tests.helpers.photos import jpeg, jpeg_of_size, png_of_size

HEIGHT, WIDTH = 48, 72
SEEN = (64, 64)


def scene(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """A smooth photo that looks different from all sides: [H, W, 3], RGB."""
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    return np.stack([230 * x + 10, 200 * y + 20, 120 * (1 - x) * y + 60], axis=2).astype(np.uint8)


def gray(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Its brightness in all three channels."""
    return np.asarray(Image.fromarray(rgb).convert("L").convert("RGB"))


def file_of(photo: Image.Image, kind: str, **options: Any) -> bytes:
    """A photo as a file."""
    file = io.BytesIO()
    photo.save(file, kind, **options)
    return file.getvalue()


def upright(content: bytes) -> NDArray[np.int64]:
    """What is read of a file, RGB."""
    photo = read_photo(content, SEEN)
    assert photo.bgr.dtype == np.uint8
    assert photo.bgr.flags.c_contiguous
    return photo.bgr[:, :, ::-1].astype(np.int64)


def farthest(content: bytes, truth: NDArray[np.uint8]) -> float:
    """The mean difference of what is read from what is there, in levels of 0-255."""
    found = upright(content)
    assert found.shape == truth.shape
    return float(np.abs(found - truth).mean())


# What EXIF's orientations do to a photo so that it has to be undone.
STORED: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda photo: photo,
    2: lambda photo: photo[:, ::-1],
    3: lambda photo: photo[::-1, ::-1],
    4: lambda photo: photo[::-1],
    5: lambda photo: photo.transpose(1, 0, 2),
    6: lambda photo: np.rot90(photo),
    7: lambda photo: photo.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda photo: np.rot90(photo, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_photos_are_upright(orientation: int, kind: str) -> None:
    stored = np.ascontiguousarray(STORED[orientation](scene()))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if kind in ("JPEG", "WEBP") else {}
    content = file_of(Image.fromarray(stored), kind, exif=exif, **options)
    assert farthest(content, scene()) < 4


@pytest.mark.parametrize("orientation", STORED)
def test_a_large_photo_is_reduced_and_says_how_large_it_is(orientation: int) -> None:
    stored = np.ascontiguousarray(STORED[orientation](scene(600, 900)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        photo = read_photo(file_of(Image.fromarray(stored), kind, exif=exif), SEEN)
        assert (photo.height, photo.width) == (600, 900)
        assert MARGIN * max(SEEN) <= max(photo.bgr.shape) < 4 * max(SEEN)
        truth = cv2.resize(scene(600, 900), photo.bgr.shape[1::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(photo.bgr[:, :, ::-1].astype(int) - truth).mean() < 4


def half_transparent() -> Image.Image:
    """The scene with alpha that falls from left to right."""
    photo = Image.fromarray(scene())
    photo.putalpha(Image.fromarray(np.tile(np.linspace(255, 0, WIDTH), (HEIGHT, 1)).astype("u1")))
    return photo


def on_white(photo: Image.Image) -> NDArray[np.uint8]:
    """How a transparent photo looks on white paper."""
    rgba = np.asarray(photo.convert("RGBA"), np.float64)
    alpha = rgba[:, :, 3:] / 255
    return np.asarray(rgba[:, :, :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8)


def with_transparent_color() -> Image.Image:
    """A palette of which one color is transparent."""
    photo = Image.fromarray(scene()).quantize(200)
    photo.info["transparency"] = int(np.asarray(photo)[0, 0])
    return photo


def sixteen_bits(rgb: NDArray[np.uint8]) -> bytes:
    """A PNG of 16 bits a channel."""
    _, encoded = cv2.imencode(".png", rgb[:, :, ::-1].astype(np.uint16) * 257)
    return encoded.tobytes()


def sixteen_bits_of_gray() -> bytes:
    """A PNG of 16 bits of gray."""
    return file_of(Image.fromarray(gray(scene())[:, :, 0].astype(np.uint16) * 257), "PNG")


def animated(kind: str) -> bytes:
    """Some frames, of which the first is the scene."""
    frames = [Image.fromarray(scene()), Image.new("RGB", (WIDTH, HEIGHT), "red")]
    options = {"lossless": True} if kind == "WEBP" else {}
    return file_of(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def of(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    """The scene in a mode of Pillow."""
    return file_of(Image.fromarray(scene()).convert(mode), kind, **options)


MODES = {
    "gray JPEG": (of("JPEG", "L"), gray(scene())),
    "CMYK JPEG": (of("JPEG", "CMYK"), scene()),
    "progressive JPEG": (of("JPEG", progressive=True), scene()),
    "JPEG of two lenses": (
        file_of(
            Image.fromarray(scene()), "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))]
        ),
        scene(),
    ),
    "gray PNG": (of("PNG", "L"), gray(scene())),
    "PNG": (of("PNG"), scene()),
    "PNG with alpha": (file_of(half_transparent(), "PNG"), on_white(half_transparent())),
    "gray PNG with alpha": (
        file_of(half_transparent().convert("LA"), "PNG"),
        on_white(half_transparent().convert("LA")),
    ),
    "palette": (file_of(Image.fromarray(scene()).quantize(256), "PNG"), scene()),
    "palette with a transparent color": (
        file_of(with_transparent_color(), "PNG"),
        on_white(with_transparent_color()),
    ),
    "16 bits of gray": (sixteen_bits_of_gray(), gray(scene())),
    "16 bits a channel": (sixteen_bits(scene()), scene()),
    "one bit": (
        file_of(Image.fromarray(scene()[:, :, 0] > 128), "PNG"),
        np.repeat(255 * (scene()[:, :, :1] > 128), 3, axis=2).astype(np.uint8),
    ),
    "WebP": (of("WEBP", lossless=True), scene()),
    "WebP with alpha": (
        file_of(half_transparent(), "WEBP", lossless=True, exact=True),
        on_white(half_transparent()),
    ),
    "animated GIF": (animated("GIF"), scene()),
    "animated WebP": (animated("WEBP"), scene()),
    "animated PNG": (animated("PNG"), scene()),
    "TIFF": (of("TIFF"), scene()),
    "BMP": (of("BMP"), scene()),
    "AVIF": (of("AVIF", quality=95), scene()),
    "JPEG 2000": (of("JPEG2000"), scene()),
}


@pytest.mark.parametrize("name", MODES)
def test_photos_are_read_as_they_look(name: str) -> None:
    content, truth = MODES[name]
    assert farthest(content, truth) < 4


def test_a_profile_of_colors_is_no_obstacle() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert farthest(of("JPEG", icc_profile=profile), scene()) < 4


# TIFF's types of values.
TEXT, SHORT = 2, 3


@pytest.mark.parametrize(
    ("kind", "count", "value"),
    [
        (SHORT, 1, b"\0\0"),
        (SHORT, 1, b"\x09\0"),
        (TEXT, 2, b"6\0"),
        (TEXT, 3, b"up\0"),
        (99, 1, b"\x06\0"),
    ],
)
def test_an_orientation_that_is_none_turns_nothing(kind: int, count: int, value: bytes) -> None:
    entry = struct.pack("<HHHI4s", 1, 0x0112, kind, count, value)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + entry + bytes(4)
    with warnings.catch_warnings(action="ignore"):
        photo = read_photo(of("JPEG", exif=exif), SEEN)
    assert (photo.height, photo.width) == photo.bgr.shape[:2] == (HEIGHT, WIDTH)


BAD = {
    "empty": (b"", "it is empty"),
    "text": (b"hello", "it is no photo"),
    "a web page": (b"<!DOCTYPE html><p>404", "a web page or a drawing"),
    "a drawing": (b'\n<svg xmlns="http://www.w3.org/2000/svg"/>', "a web page or a drawing"),
    "a photo of an iPhone": (b"\0\0\0\x24ftypheic\0\0\0\0", "HEIC photo"),
    "a document": (b"%PDF-1.7\n", "it is no photo"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "it is no photo"),
    "a JPEG that ends too early": (of("JPEG", quality=95)[:900], "cut off or damaged"),
    "a JPEG of nothing but a header": (jpeg()[:20], "it is no photo"),
    "a PNG that ends too early": (of("PNG")[:200], "cut off or damaged"),
    "a GIF that ends too early": (of("GIF")[:900], "cut off or damaged"),
    "a WebP that ends too early": (of("WEBP")[:100], "cut off or damaged"),
    "a PNG without pixels": (png_of_size(0, 0), "it is no photo"),
    "a JPEG without pixels": (jpeg_of_size(0, 0), "it is no photo"),
    "a PNG of the largest phones": (png_of_size(16_320, 12_240), "too many, but for a JPEG"),
    "a TIFF of fractions": (file_of(Image.new("F", (64, 48), 0.5), "TIFF"), "are fractions"),
    "a bomb": (png_of_size(60_000, 60_000), "60000 x 60000 pixels are too many"),
    "a strip": (png_of_size(65_501, 8), "65501 x 8 pixels are too many"),
    "a bomb in a JPEG": (jpeg_of_size(65_000, 65_000), "65000 x 65000 pixels are too many"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_photo_is_refused_with_the_reason(name: str) -> None:
    content, reason = BAD[name]
    with pytest.raises(BadPhoto, match=reason) as caught:
        read_photo(content, SEEN)
    assert "\n" not in str(caught.value)


def test_the_photos_of_the_largest_phones_are_read() -> None:
    with warnings.catch_warnings(action="error"):
        photo = read_photo(file_of(Image.new("L", (16_320, 12_240), 99), "JPEG"), SEEN)
    assert (photo.height, photo.width) == (12_240, 16_320)
    assert max(photo.bgr.shape) < 2100
