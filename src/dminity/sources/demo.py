"""Rendered rooms in place of a download, so that the whole pipeline runs anywhere in minutes.

A room's id is the seed of everything in it: the boxes and the photo of an id can be had apart.
"""

import hashlib
import multiprocessing
from functools import partial
from pathlib import Path

import cv2
import pandas as pd

from dminity.core.amenities import NAMES
from dminity.core.hierarchy import with_ancestors
from dminity.core.pool import Pool
from dminity.data import tables
from dminity.sources import rooms
from dminity.sources.rooms import scene
from dminity.sources.settings import DemoSettings
from dminity.sources.source import Annotations

JPEG_QUALITY = 95
CHUNK = 16


class RenderedRooms:
    """Rooms with the 30 amenities; see `sources.source.Source`."""

    partial = False
    may_recover = False

    def __init__(self, demo: DemoSettings) -> None:
        self.sizes = {"train": demo.train, "validation": demo.validation, "test": demo.test}
        self.seed = demo.seed
        # Rendering is work for the processor: threads, as a download has them, would share one.
        self.pool = Pool(multiprocessing.get_context("spawn"), partial(cv2.setNumThreads, 1))

    @property
    def version(self) -> str:
        """Changes with the code of the renderer: rooms look different then, under the same ids."""
        files = sorted(Path(rooms.__path__[0]).glob("*.py"))
        code = b"".join(file.read_bytes() for file in files)
        return f"demo-{hashlib.sha256(code).hexdigest()[:16]}"

    def annotations(self, split: str, work: Path) -> Annotations:
        """The boxes of every room of a split; what has none in a room is known not to be there."""
        del work
        boxes = self.boxes(split)
        there = {
            (image_id, name)
            for image_id, label in zip(boxes["image_id"], boxes["label"], strict=True)
            for name in with_ancestors(label)
        }
        verified = pd.DataFrame(
            [
                (image_id, split, label, (image_id, label) in there)
                for image_id in self.image_ids(split)
                for label in NAMES
            ],
            columns=tables.VERIFIED.names,
        )
        return Annotations(boxes, verified, [])

    def boxes(self, split: str) -> pd.DataFrame:
        """The boxes of every room of a split."""
        image_ids = self.image_ids(split)
        described = self.pool.map(scene.describe, image_ids, chunksize=CHUNK)
        rows = [
            {"image_id": image_id, **vars(box)}
            for image_id, boxes in zip(image_ids, described, strict=True)
            for box in boxes
        ]
        boxes = pd.DataFrame(rows).assign(split=split, is_depiction=False, is_inside=False)
        return boxes[list(tables.BOXES.names)]

    def photo(self, split: str, image_id: str) -> bytes:
        """Render a room as a JPEG."""
        del split
        return self.pool.submit(_render_jpeg, image_id).result()

    def image_ids(self, split: str) -> list[str]:
        """16 hex digits for each room, as Open Images has them."""
        return [
            hashlib.sha256(f"{self.seed}/{split}/{number}".encode()).hexdigest()[:16]
            for number in range(self.sizes[split])
        ]


def _render_jpeg(image_id: str) -> bytes:
    """A room as a JPEG file."""
    pixels = cv2.cvtColor(scene.render(image_id), cv2.COLOR_RGB2BGR)
    done, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done, "OpenCV encodes every image of this size"
    return jpeg.tobytes()
