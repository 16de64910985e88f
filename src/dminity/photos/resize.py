"""Published photo to training photo: upright, RGB, at most so many pixels, JPEG."""

import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image, ImageOps
from tqdm import tqdm

from dminity.errors import DminityError

CHUNK = 16


class PhotoUnreadable(DminityError):
    """A photo on disk cannot be decoded."""


def resize_photos(
    photos: Iterable[tuple[Path, Path]], long_side_pixels: int, jpeg_quality: int
) -> None:
    """Resize each (from, to), on every core.

    Raises:
        PhotoUnreadable: naming the first file that does not decode.
    """
    photos = list(photos)
    work = partial(resize_photo, long_side_pixels=long_side_pixels, jpeg_quality=jpeg_quality)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(work, *zip(*photos, strict=True), chunksize=CHUNK)
        for _ in tqdm(done, "resize", len(photos), unit="photo"):
            pass


def resize_photo(source: Path, target: Path, long_side_pixels: int, jpeg_quality: int) -> None:
    """Write `source` upright, in RGB, its long side at most `long_side_pixels`, to `target`.

    EXIF, colour profile and alpha are gone afterwards; transparent parts are white.
    """
    try:
        with Image.open(source) as photo:
            # JPEG decodes to a half, a quarter or an eighth at a fraction of the cost.
            photo.draft("RGB", (long_side_pixels, long_side_pixels))
            upright = to_rgb(ImageOps.exif_transpose(photo))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PhotoUnreadable(
            f"{source}: {' '.join(str(error).split())}; delete it and run `dvc repro` again"
        ) from error
    upright.thumbnail((long_side_pixels, long_side_pixels), Image.Resampling.LANCZOS)
    upright.info.clear()
    upright.save(target, "JPEG", quality=jpeg_quality)


def to_rgb(photo: Image.Image) -> Image.Image:
    """Grey, CMYK, palette or transparent to RGB, over white."""
    if photo.has_transparency_data:
        white = Image.new("RGBA", photo.size, "white")
        photo = Image.alpha_composite(white, photo.convert("RGBA"))
    return photo.convert("RGB")
