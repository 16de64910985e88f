"""Any photo that a user has, as a detector takes it."""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from dminity.core.errors import DminityError
from dminity.detection.color import opaque

# The largest phones have 200 million; a picture that unpacks to more is refused by its header.
MOST_PIXELS = 250_000_000
# They make JPEGs, which are unpacked at a part of their size. Of others, each pixel takes 12 bytes
# on the way, in every thread.
MOST_UNPACKED_PIXELS = 100_000_000
# A longer side does not fit into the JPEG that is saved of it.
LONGEST_SIDE = 65_500
# Pillow's own limit, in place of which this one holds, would refuse those phones.
Image.MAX_IMAGE_PIXELS = None
# Of what reads drawings, documents and raw data, nothing is opened.
# Pillow opens MPO, the format of phones with two lenses, as JPEG.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "PPM", "JPEG2000")
# A photo is read at half, a quarter … of its size as long as it stays so much larger than what the
# network sees. Pixels are averaged, as `resize` does for training; scaled down at once, most of
# them would be passed over.
MARGIN = 1.5


class BadPhoto(DminityError):
    """A file is no photo that can be read."""


@dataclass(frozen=True)
class Photo:
    """A photo, upright, as it was read.

    bgr: [H, W, 3], uint8. height, width: in pixels, of the photo itself, of which `bgr` may be a
    reduced copy.
    """

    bgr: NDArray[np.uint8]
    height: int
    width: int


def read_photo(
    content: bytes, input_size: tuple[int, int], most_pixels: int = MOST_PIXELS
) -> Photo:
    """Read a photo's file: upright by EXIF, transparent parts white, of an animation the first.

    Args:
        content: the file.
        input_size: height and width of what the network sees, in pixels.
        most_pixels: a photo of more is refused by its header.

    Raises:
        BadPhoto: with the reason, without the file's name.
    """
    if not content:
        raise BadPhoto("it is empty")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            return _read(opened, input_size, most_pixels)
    except BadPhoto:
        raise
    except UnidentifiedImageError as error:
        raise BadPhoto(_kind(content)) from error
    except MemoryError:
        raise
    # Whatever a hostile file makes a decoder raise is a fault of the file.
    except Exception as error:
        reason = f" ({error})" if str(error) else ""
        raise BadPhoto(f"it is cut off or damaged{reason}") from error


def _kind(content: bytes) -> str:
    """What a file is that is no photo, if it is something that often takes the place of one."""
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return "it is a web page or a drawing (HTML, SVG, XML), no photo"
    if content[4:8] == b"ftyp" and content[8:11] in (b"hei", b"hev", b"mif", b"msf"):
        return "it is a HEIC photo, which is not read: save it as JPEG"
    return "it is no photo, or of a kind that is not read"


def _read(photo: Image.Image, input_size: tuple[int, int], most_pixels: int) -> Photo:
    """Decode an opened file."""
    width, height = photo.size
    if width * height > most_pixels or max(width, height) > LONGEST_SIDE:
        raise BadPhoto(f"{width} x {height} pixels are too many")
    factor = _reduction(width, height, input_size)
    if photo.format in ("JPEG", "MPO"):
        photo.draft(None, (-(-width // factor), -(-height // factor)))
    if photo.width * photo.height > MOST_UNPACKED_PIXELS:
        raise BadPhoto(f"{width} x {height} pixels are too many, but for a JPEG")
    if photo.mode == "F":
        raise BadPhoto("its pixels are fractions, whose white nobody knows: save it with 8 bits")
    # Of a TIFF, Pillow says the size that it has upright. A damaged EXIF may hold anything there.
    on_its_side = photo.format != "TIFF" and photo.getexif().get(0x0112) in (5, 6, 7, 8)
    bgr = _pixels(photo, rest=max(1, factor * photo.width // width))
    return Photo(bgr, width, height) if on_its_side else Photo(bgr, height, width)


def _pixels(photo: Image.Image, rest: int) -> NDArray[np.uint8]:
    """Unpack a photo, upright: [H, W, 3], uint8, BGR; `rest`: by how much it is still reduced."""
    photo.load()
    # Copies of many pixels are made only where there is something to change.
    ImageOps.exif_transpose(photo, in_place=True)
    rgb = opaque(photo)
    if rgb.mode != "RGB":
        rgb = rgb.convert("RGB")
    if rest > 1:
        rgb = rgb.reduce(rest)
    return cv2.cvtColor(np.asarray(rgb), cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)


def _reduction(width: int, height: int, input_size: tuple[int, int]) -> int:
    """1, 2, 4 or 8: by how much a photo can be reduced and stay MARGIN times larger than needed."""
    room = max(width, height) / max(input_size) / MARGIN
    return next((factor for factor in (8, 4, 2) if room >= factor), 1)
