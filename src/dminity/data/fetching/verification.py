"""Whether the bytes of a photo are a photo: decoded to the last byte, not believed."""

import io
import warnings

from PIL import Image, UnidentifiedImageError

from dminity.core.memory import is_out_of_memory
from dminity.data.decoding import FORMATS, JPEG_END, decode_whole
from dminity.remote.faults import Unavailable

# Open Images publishes photos of at most 1024 x 1024; a mirror may hold the originals.
MOST_PIXELS = 50_000_000
JPEG_SCAN = b"\xff\xda"
PNG_START, PNG_END = b"\x89PNG", b"IEND\xaeB`\x82"
# A picture that unpacks to gigabytes is refused by its header.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class BadPhoto(Unavailable):
    """What came is no photo, or not a whole one; `reason` says which."""


def verify(content: bytes, min_side: int) -> None:
    """Accept a JPEG or PNG of at least `min_side` pixels a side whose every byte decodes.

    Raises:
        BadPhoto: `passing` where the next attempt may bring another content.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as photo:
            _refuse_size(photo.width, photo.height, min_side)
            decode_whole(content, photo)
    except BadPhoto:
        raise
    except UnidentifiedImageError as error:
        raise BadPhoto("not an image", repr(content[:20]), passing=True) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPhoto("too many pixels", error) from error
    # Whatever a hostile file makes a decoder raise is a fault of the file.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = "damaged" if _has_end(content) else "truncated"
        raise BadPhoto(reason, error, passing=True) from error


def _has_end(content: bytes) -> bool:
    """Whether a file has its end marker; a JPEG's thumbnail has one, too, before the scan."""
    if content.startswith(PNG_START):
        return PNG_END in content
    return content.rfind(JPEG_END) > content.rfind(JPEG_SCAN)


def _refuse_size(width: int, height: int, min_side: int) -> None:
    """Refuse a photo with next to nothing, or far too much, in it."""
    if min(width, height) < min_side:
        raise BadPhoto("too small", f"{width} x {height} pixels")
    if width * height > MOST_PIXELS:
        raise BadPhoto("too many pixels", f"{width} x {height}")
