"""Published photo to training photo: upright, RGB, at most so many pixels, JPEG."""

import io
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch.nn.functional import interpolate

from dminity.core.errors import DminityError
from dminity.core.progress import Progress

ORIENTATION = 0x0112
UPRIGHT = 1


class PhotoUnreadable(DminityError):
    """A photo on disk cannot be decoded."""


def resize_photos(
    photos: Iterable[tuple[Path, Path]], long_side_pixels: int, jpeg_quality: int
) -> list[tuple[int, int]]:
    """Resize each (from, to), on every core; the width and height in pixels of each one written.

    Raises:
        PhotoUnreadable: naming the first file that does not decode.
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

    EXIF, color profile and alpha are gone afterwards; transparent parts are white. Returns the
    width and height in pixels of what was written.
    """
    try:
        pixels = _decode(source.read_bytes())
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PhotoUnreadable(
            f"{source}: {' '.join(str(error).split())}; delete it and run `dvc repro` again"
        ) from error
    smaller = _shrink(pixels, long_side_pixels)
    _, jpeg = cv2.imencode(".jpg", smaller, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
    target.write_bytes(jpeg.tobytes())
    height, width = smaller.shape[:2]
    return width, height


def _decode(content: bytes) -> NDArray[np.uint8]:
    """The pixels of a JPEG or PNG, upright: [H, W, C], blue, green, red, and perhaps a filler."""
    with Image.open(io.BytesIO(content)) as photo:
        turned = _orientation(photo) != UPRIGHT
        if photo.format == "JPEG" and photo.mode == "RGB" and not turned:
            # Four bytes a pixel are scaled faster than three. Colors are published at half the
            # resolution, and not smoothed before they are scaled down.
            pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(content, "BGRX", fastupsample=True)
            return pixels
        upright = ImageOps.exif_transpose(photo) if turned else photo
        return np.ascontiguousarray(np.asarray(_to_rgb(upright))[:, :, ::-1])


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


def _to_rgb(photo: Image.Image) -> Image.Image:
    """Gray, CMYK, palette or transparent to RGB, over white."""
    if photo.has_transparency_data:
        white = Image.new("RGBA", photo.size, "white")
        photo = Image.alpha_composite(white, photo.convert("RGBA"))
    return photo.convert("RGB")
