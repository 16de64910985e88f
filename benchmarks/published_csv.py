"""A CSV of boxes with the rows and columns of Open Images' largest: 14.6 million, 21 columns."""

from pathlib import Path

import numpy as np

from dminity.core.amenities import AMENITIES
from tests.helpers.mirror import CLICKS, COLUMNS

# https://storage.googleapis.com/openimages/web/factsfigures_v7.html: 14,610,229 boxes in train, of
# 600 classes, on 1,743,042 photos.
ROWS = 14_610_229
PHOTOS = 1_743_042
OTHER_CODES = [f"/m/0{number:04x}" for number in range(0x1000, 0x1000 + 570)]
AMENITY_SHARE = 0.01
BLOCK = 100_000


def write_published_csv(path: Path, rows: int = ROWS) -> None:
    """Write so many rows, a hundredth of them of amenities; photos have 8.4 boxes in turn."""
    endings = row_endings()
    per_photo = rows * PHOTOS // ROWS
    with path.open("w", encoding="ascii") as file:
        file.write(COLUMNS + CLICKS + "\n")
        for start in range(0, rows, BLOCK):
            numbers = range(start, min(start + BLOCK, rows))
            file.writelines(
                f"{image_id(number * per_photo // rows)}{ending}"
                for number, ending in zip(numbers, endings, strict=False)
            )


def image_id(photo: int) -> str:
    """16 hex digits for each photo."""
    return f"{photo * 0x9E3779B97F4A7C15 % 2**64:016x}"


def row_endings() -> list[str]:
    """All of a row but the photo, for a block of rows."""
    random = np.random.default_rng(1)
    corners = np.sort(random.random((BLOCK, 2, 2)), axis=2).reshape(BLOCK, 4)
    clicks = random.random((BLOCK, 8))
    flags = random.random((BLOCK, 5)) < (0.66, 0.25, 0.06, 0.05, 0.01)
    others = random.choice(OTHER_CODES, BLOCK)
    amenities = random.choice([amenity.code for amenity in AMENITIES], BLOCK)
    codes = np.where(random.random(BLOCK) < AMENITY_SHARE, amenities, others)
    return [
        f",xclick,{code},1,{','.join(f'{x:.6f}' for x in box)},"
        f"{','.join(str(int(flag)) for flag in marked)},{','.join(f'{x:.6f}' for x in clicked)}\n"
        for code, box, marked, clicked in zip(codes, corners, flags, clicks, strict=True)
    ]
