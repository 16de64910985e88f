"""What a photo's file is to all that look into it: which bytes are sound.

`fetch` accepts by it, `resize` reads by it and `check` compares by it, so that none of them
refuses, or sees otherwise, what another one took.
"""

import io
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

FORMATS = ("JPEG", "PNG")
JPEG_END = b"\xff\xd9"
# An eighth of the size and no colors: the entropy-coded data is still decoded whole.
CHEAPEST = {"min_height": 1, "min_width": 1, "min_factor": 8}


def decode_whole(content: bytes, photo: Image.Image) -> None:
    """Decode every byte of a photo that was opened from `content`, and forget what came of it.

    Strictly, libjpeg notices 99 of 100 JPEGs with 4 KB zeroed, where Pillow notices none; of a PNG
    Pillow decodes what it can, unless its checksums are asked for.

    Raises:
        Exception: of many kinds, if a byte does not decode.
    """
    if photo.format == "JPEG":
        decode_jpeg(content, "CMYK" if photo.mode == "CMYK" else "GRAY", **CHEAPEST)
        return
    if photo.format == "PNG":
        with Image.open(io.BytesIO(content), formats=FORMATS) as again:
            again.verify()
    photo.load()


def decode_jpeg(content: bytes, colors: str, **options: Any) -> tuple[NDArray[np.uint8], bytes]:
    """Decode a JPEG strictly: libjpeg's warnings are faults, but for padding at its end.

    Zero bytes before the end marker, as some cameras and programs write them, belong to no photo:
    viewers show it, and libjpeg only warns of them.

    Args:
        content: the file.
        colors: `GRAY`, `BGRX` …; of a CMYK file `CMYK`.
        **options: those of `simplejpeg.decode_jpeg`.

    Returns:
        The pixels, [H, W, C] of uint8, and the file without such padding.

    Raises:
        ValueError: if a byte of it does not decode.
    """
    try:
        return simplejpeg.decode_jpeg(content, colors, **options), content
    except ValueError:
        # The photo's own last byte may be a zero.
        for own in (b"", b"\0"):
            unpadded = _without_padding(content, own)
            try:
                return simplejpeg.decode_jpeg(unpadded, colors, **options), unpadded
            except ValueError:
                continue
        raise


def _without_padding(content: bytes, own: bytes) -> bytes:
    """The file with `own` in place of the zero bytes before the last end marker."""
    photo, end, rest = content.rpartition(JPEG_END)
    return photo.rstrip(b"\0") + own + end + rest if end else content
