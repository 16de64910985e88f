"""Published photos to training photos, against Pillow: milliseconds of one core, and likeness.

    make benchmarks

Photos of 1024 x 768 become 640 x 480, both at the same quality setting. Pillow's is what one would
write: open, convert, resize by Lanczos, save. Time is that of the processor; the two take turns
photo by photo. Likeness is the peak signal-to-noise ratio of our file's pixels to Pillow's.
"""

import io
import tempfile
import time
from pathlib import Path
from statistics import mean, median

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from dminity.core.memory import keep_freed_memory
from dminity.data.resizing import resize_photo
from dminity.sources.rooms import scene

PHOTOS = 30
ROUNDS = 7
PUBLISHED, TRAINED = (1024, 768), (640, 480)
QUALITY = 92


def main() -> None:
    """Make the photos, let the two take turns, print a table."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    keep_freed_memory()  # As the stage does; Pillow has the same.
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = [folder / f"{number}.jpg" for number in range(PHOTOS)]
        for number, path in enumerate(paths):
            write_photo(number, path)
        ours, theirs = folder / "ours.jpg", folder / "theirs.jpg"
        seconds: dict[str, list[float]] = {"Pillow": [], "dminity": []}
        likeness = []
        for turn in range(ROUNDS):
            for path in paths:
                seconds["Pillow"].append(timed(pillow, path, theirs))
                seconds["dminity"].append(timed(dminity, path, ours))
                if not turn:
                    likeness.append(psnr(ours, theirs))
        kilobytes = mean(path.stat().st_size for path in paths) / 1e3
        ratio = median(a / b for a, b in zip(seconds["Pillow"], seconds["dminity"], strict=True))
        print(f"{PHOTOS} photos of {kilobytes:.0f} KB on average")
        for name, values in seconds.items():
            print(f"{name:10}{median(values) * 1e3:6.2f} ms a photo and core")
        print(f"dminity is {ratio:.2f} x as fast")
        print(f"PSNR: mean {mean(likeness):.1f} dB, lowest {min(likeness):.1f} dB")


def write_photo(number: int, path: Path) -> None:
    """A room at the size that Open Images publishes, with the grain of a camera."""
    room = Image.fromarray(scene.render(f"{number:016x}")).resize(
        PUBLISHED, Image.Resampling.BICUBIC
    )
    grain = np.random.default_rng(number).normal(0, 6, (PUBLISHED[1], PUBLISHED[0], 1))
    pixels = np.clip(np.asarray(room, float) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, "JPEG", quality=90)


def timed(resize: object, source: Path, target: Path) -> float:
    """Seconds of the processor for one photo."""
    start = time.process_time()
    resize(source, target)  # type: ignore[operator]
    return time.process_time() - start


def pillow(source: Path, target: Path) -> None:
    """Decode, resize, encode."""
    with Image.open(source) as photo:
        photo.convert("RGB").resize(TRAINED, Image.Resampling.LANCZOS).save(target, quality=QUALITY)


def dminity(source: Path, target: Path) -> None:
    """The same by ours."""
    resize_photo(source, target, max(TRAINED), QUALITY)


def psnr(one: Path, other: Path) -> float:
    """In decibels, over all pixels and channels."""
    difference = pixels_of(one) - pixels_of(other)
    return float(10 * np.log10(255**2 / np.mean(difference**2)))


def pixels_of(path: Path) -> NDArray[np.float64]:
    """The pixels of a file."""
    with Image.open(io.BytesIO(path.read_bytes())) as photo:
        return np.asarray(photo.convert("RGB"), float)


if __name__ == "__main__":
    main()
