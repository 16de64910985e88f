"""Rendered rooms in place of a download, so that the whole pipeline runs anywhere in minutes.

A room's id is the seed of everything in it: the boxes and the photo of an id can be had apart.
"""

import hashlib
import multiprocessing
from functools import partial
from itertools import count, islice
from pathlib import Path

import cv2
import pandas as pd

from dminity.core.amenities import NAMES
from dminity.core.hierarchy import nearest, with_ancestors
from dminity.core.pool import Pool
from dminity.data import tables
from dminity.sources import rooms
from dminity.sources.rooms import scene
from dminity.sources.rooms.scene import RoomBox
from dminity.sources.settings import DemoSettings
from dminity.sources.shortages import taken_out, verified_classes
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
        # What training lacks, validation and test have: figures stay comparable.
        self.unverified = {"train": demo.unverified}
        self.tails = {"train": demo.tail}
        # Rendering is work for the processor: threads, as a download has them, would share one.
        self.pool = Pool(multiprocessing.get_context("spawn"), partial(cv2.setNumThreads, 1))

    @property
    def version(self) -> str:
        """Changes with the code of the renderer: rooms look different then, under the same ids."""
        files = sorted(Path(rooms.__path__[0]).glob("*.py"))
        code = b"".join(file.read_bytes() for file in files)
        return f"demo-{hashlib.sha256(code).hexdigest()[:16]}"

    def annotations(self, split: str, work: Path) -> Annotations:
        """The boxes of the rooms of a split, as far as they are verified.

        What is verified and has no box in a room is known not to be there. Of a sofa bed of which
        only that is verified that it is a couch, there is the box of a couch.
        """
        del work
        boxes, verified = [], []
        for image_id, described in self.described(split).items():
            known = self.verified(split, image_id, described)
            there = {name for box in described for name in with_ancestors(box.label)}
            verified += [(image_id, split, name, name in there) for name in NAMES if name in known]
            boxes += [
                {"image_id": image_id, **vars(box), "label": label}
                for box in described
                if (label := nearest(box.label, known))
            ]
        table = pd.DataFrame(boxes).assign(split=split, is_depiction=False, is_inside=False)
        return Annotations(
            table[list(tables.BOXES.names)],
            pd.DataFrame(verified, columns=tables.VERIFIED.names),
            [],
        )

    def described(self, split: str) -> dict[str, list[RoomBox]]:
        """The boxes of every room of a split, by its id: rooms that show an amenity."""
        size = self.sizes[split]
        found: dict[str, list[RoomBox]] = {}
        for start in count(step=size):
            image_ids = [self.image_id(split, number) for number in range(start, start + size)]
            lacking = [self.lacking(split, image_id) for image_id in image_ids]
            described = self.pool.map(scene.describe, image_ids, lacking, chunksize=CHUNK)
            found |= {
                name: boxes for name, boxes in zip(image_ids, described, strict=True) if boxes
            }
            if len(found) >= size:
                break
        return dict(islice(found.items(), size))

    def photo(self, split: str, image_id: str) -> bytes:
        """Render a room as a JPEG."""
        return self.pool.submit(_render_jpeg, image_id, self.lacking(split, image_id)).result()

    def image_id(self, split: str, number: int) -> str:
        """16 hex digits for a room, as Open Images has them.

        A room of another tail looks different, and so has another id.
        """
        tail = self.tails.get(split, 1)
        seed = self.seed if tail == 1 else f"{self.seed}/{tail:g}"
        return hashlib.sha256(f"{seed}/{split}/{number}".encode()).hexdigest()[:16]

    def lacking(self, split: str, image_id: str) -> frozenset[str]:
        """The classes that are taken out of a room."""
        return taken_out(image_id, self.tails.get(split, 1))

    def verified(self, split: str, image_id: str, boxes: list[RoomBox]) -> frozenset[str]:
        """The classes that are known to be in a room, or not to be."""
        # Not a group, which training may leave out.
        shown = {box.label for box in boxes if not box.is_group_of}
        return verified_classes(image_id, shown, self.unverified.get(split, 0))


def _render_jpeg(image_id: str, without: frozenset[str]) -> bytes:
    """A room as a JPEG file."""
    pixels = cv2.cvtColor(scene.render(image_id, without), cv2.COLOR_RGB2BGR)
    done, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done, "OpenCV encodes every image of this size"
    return jpeg.tobytes()
