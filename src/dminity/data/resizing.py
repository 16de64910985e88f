"""Published photo to training photo: upright, RGB, at most so many pixels, JPEG."""

import io
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch.nn.functional import interpolate

from dminity.core.errors import DminityError
from dminity.core.memory import is_out_of_memory
from dminity.core.progress import Progress
from dminity.data.decoding import FORMATS, decode_jpeg, decode_whole
from dminity.detection.color import opaque

ORIENTATION = 0x0112
UPRIGHT = 1
# Of a JPEG, to libjpeg.
LONGEST_SIDE_PIXELS = 65_500


class PhotoUnreadable(DminityError):
    """A photo on disk is not there, or cannot be decoded or written as a training photo."""


class _Photo(NamedTuple):
    """A photo upright: [H, W, C], blue, green, red, and perhaps a filler.

    jpeg: a file of just these pixels, if the published one is such; or else nothing.
    """

    pixels: NDArray[np.uint8]
    jpeg: bytes


def resize_photos(
    photos: Iterable[tuple[Path, Path]], long_side_pixels: int, jpeg_quality: int
) -> list[tuple[int, int]]:
    """Resize each (from, to), on every core; the width and height in pixels of each one written.

    Raises:
        PhotoUnreadable: naming the first file that is not there or does not decode.
        OSError: if one is there and cannot be read, or its training photo not written.
    """
    photos = list(photos)
    work = partial(resize_photo, long_side_pixels=long_side_pixels, jpeg_quality=jpeg_quality)
    # Threads do: decoding, scaling and encoding leave Python alone.
    with _one_core_each(), ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(work, *zip(*photos, strict=True))
        try:
            return list(Progress("resize", done, len(photos)))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _one_core_each() -> Iterator[None]:
    """Let PyTorch and OpenCV use one thread for each caller, until the block ends."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def resize_photo(
    source: Path, target: Path, long_side_pixels: int, jpeg_quality: int
) -> tuple[int, int]:
    """Write `source` upright, in RGB, its long side at most `long_side_pixels`, to `target`.

    What is such a JPEG already is copied as it is, once it has been decoded: to compress it again
    would only lose. Of all others, EXIF, color profile and alpha are gone afterwards; transparent
    parts are white. Returns the width and height in pixels of what was written.

    Raises:
        PhotoUnreadable: naming `source`.
        OSError: if `source` is there and cannot be read, or `target` cannot be written.
    """
    photo = _decode(source)
    smaller = _shrink(photo.pixels, long_side_pixels)
    height, width = smaller.shape[:2]
    fits = smaller is photo.pixels
    target.write_bytes((fits and photo.jpeg) or _encode(smaller, jpeg_quality, source))
    return width, height


def _decode(source: Path) -> _Photo:
    """Read a published photo."""
    try:
        content = source.read_bytes()
    except FileNotFoundError as error:
        raise PhotoUnreadable(f"{source}: no such file; run `dvc repro` again") from error
    try:
        return _decode_jpeg_or_png(content)
    # Whatever makes it unreadable; which of many things it is, fetching says.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise PhotoUnreadable(
            f"{source}: {' '.join(str(error).split())}; delete it and run `dvc repro` again"
        ) from error


def _decode_jpeg_or_png(content: bytes) -> _Photo:
    """The pixels of a file of either format."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as photo:
        if photo.format == "JPEG" and photo.mode == "RGB" and _orientation(photo) == UPRIGHT:
            # Four bytes a pixel are scaled faster than three. Colors are published at half the
            # resolution, and not smoothed before they are scaled down.
            return _Photo(*decode_jpeg(content, "BGRX", fastupsample=True))
        # Before its EXIF is read: what does not decode would be hidden by that.
        decode_whole(content, photo)
        upright = ImageOps.exif_transpose(photo) if _orientation(photo) != UPRIGHT else photo
        rgb = np.asarray(opaque(upright).convert("RGB"))
        return _Photo(np.ascontiguousarray(rgb[:, :, ::-1]), b"")


def _orientation(photo: Image.Image) -> int:
    """How the camera was held, by EXIF; upright where that is missing or no sense."""
    try:
        found = photo.getexif().get(ORIENTATION, UPRIGHT)
    # Whatever a hostile EXIF makes its reader raise, the photo is there.
    except Exception:
        return UPRIGHT
    return found if isinstance(found, int) and 1 <= found <= 8 else UPRIGHT


def _shrink(pixels: NDArray[np.uint8], long_side: int) -> NDArray[np.uint8]:
    """Scale [H, W, C] down by Lanczos, as Pillow does; what is small enough stays."""
    height, width = pixels.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    planes = torch.from_numpy(pixels)[None].permute(0, 3, 1, 2)
    smaller = interpolate(planes, size, mode="lanczos", antialias=True)
    return smaller[0].permute(1, 2, 0).numpy()


def _encode(pixels: NDArray[np.uint8], quality: int, source: Path) -> bytes:
    """The pixels of a photo, [H, W, C], as a JPEG file."""
    height, width = pixels.shape[:2]
    done = False
    if max(height, width) <= LONGEST_SIDE_PIXELS:
        done, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise PhotoUnreadable(
            f"{source}: {width} x {height} pixels do not fit into a JPEG; lower image_size"
        )
    return jpeg.tobytes()
