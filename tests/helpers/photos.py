"""Photos as files, made for tests."""

import io

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
