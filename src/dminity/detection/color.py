"""The colors that a photo's file means, whatever way it stores them."""

import numpy as np
from PIL import Image


def opaque(photo: Image.Image) -> Image.Image:
    """The photo in 8 bits a channel, its transparent parts white."""
    if photo.mode.startswith("I"):
        photo = _in_8_bits(photo)
    if photo.has_transparency_data:
        white = Image.new("RGBA", photo.size, "white")
        photo = Image.alpha_composite(white, photo.convert("RGBA"))
    return photo


def _in_8_bits(photo: Image.Image) -> Image.Image:
    """A PNG of 16 bits of gray, which Pillow would cut off at 255."""
    gray = np.asarray(photo)
    smaller = Image.fromarray((gray >> 8).astype(np.uint8))
    if (transparent := photo.info.get("transparency")) is not None:
        smaller.putalpha(Image.fromarray(np.where(gray == transparent, 0, 255).astype(np.uint8)))
    return smaller
