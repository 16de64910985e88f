"""What a photo is to a comparison: its size, its bytes and its look, each in a few bytes."""

import hashlib
import io
import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import imagehash
import numpy as np
from PIL import Image

from dminity.core.memory import is_out_of_memory
from dminity.core.pool import Pool
from dminity.core.progress import Progress
from dminity.data.decoding import FORMATS
from dminity.detection.color import opaque

CHUNK = 16
# The hash looks at 32 x 32 pixels; JPEG decodes to an eighth at a fraction of the cost.
ENOUGH_PIXELS = 64


class Fingerprint(NamedTuple):
    """A photo in short; a size of 0 x 0 if it is missing or does not decode.

    content: SHA-256 of the file. look: 64 bits that change little if the photo is resized,
    compressed again or brightened: pHash (Zauner, 2010, https://www.phash.org), by `imagehash`.
    """

    width: int
    height: int
    content: str
    look: int


UNREADABLE = Fingerprint(0, 0, "", 0)


def fingerprints(paths: Sequence[Path]) -> list[Fingerprint]:
    """The fingerprint of each photo, on every core."""
    with Pool(multiprocessing.get_context("fork")) as pool:
        found = pool.map(fingerprint, paths, chunksize=CHUNK)
        return list(Progress("check", found, len(paths)))


def fingerprint(path: Path) -> Fingerprint:
    """The fingerprint of one photo; upright or not, it is that of the file."""
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content), formats=FORMATS) as photo:
            width, height = photo.size
            photo.draft("L", (ENOUGH_PIXELS, ENOUGH_PIXELS))
            bits = imagehash.phash(opaque(photo)).hash
    # Whatever makes it unreadable; which of many things it is, fetching says.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return UNREADABLE
    digest = hashlib.sha256(content).hexdigest()
    return Fingerprint(width, height, digest, int.from_bytes(np.packbits(bits).tobytes(), "big"))
