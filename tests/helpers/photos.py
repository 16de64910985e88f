"""Photos as files, made for tests."""

import io
import struct
import zlib

from PIL import Image


def jpeg(width: int = 40, height: int = 30, mode: str = "RGB") -> bytes:
    """A JPEG file whose left half is bright."""
    photo = Image.new(mode, (width, height))
    bright: dict[str, float | tuple[float, ...]] = {
        "RGB": (250, 200, 40),
        "L": 220,
        "CMYK": (5, 30, 200, 0),
    }
    photo.paste(bright[mode], (0, 0, width // 2, height))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=95)
    return file.getvalue()


def png() -> bytes:
    """A small PNG file."""
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(file, "PNG")
    return file.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A small PNG whose header says that it unpacks to so many pixels."""
    content = bytearray(png())
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


def jpeg_of_size(width: int, height: int) -> bytes:
    """A JPEG whose header says so."""
    content = bytearray(jpeg())
    start = content.index(b"\xff\xc0")
    content[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(content)
