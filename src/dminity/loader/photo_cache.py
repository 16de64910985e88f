"""Decoded photos in memory that all loader workers and training processes of a machine share.

A sparse file holds a flag for each photo and then the photos, back to back. It is mapped, so that
all processes that open it see the same pages. A flag is written after its pixels: what is flagged
is whole. Two writers of a photo write the same bytes, so that neither has to wait.
"""

import mmap
import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

CHANNELS = 3


def room_for_photos() -> int:
    """Bytes that a cache may take of the temporary folder; 0 if nothing can be written there.

    A tenth is left to others, and one megabyte for the flags: reading them of a file system that is
    full would be a bus error.
    """
    try:
        with tempfile.TemporaryFile():
            free = shutil.disk_usage(tempfile.gettempdir()).free
    except OSError:
        return 0
    return max(0, int(free * 0.9) - (1 << 20))


class PhotoCache:
    """Photos by index, kept as long as the file has its name or is open in some process.

    Memory: height x width x 3 bytes for each photo put, once per machine (1.2 MB for 640 x 640,
    0.5 MB for 416 x 416), and a few dozen bytes per photo in each process. These are pages of the
    file: on a disk the system writes them out and takes them back when memory is short, in /dev/shm
    it cannot. Forked processes may use the cache at once; a pickled one opens its file again.
    """

    def __init__(self, path: Path, sizes: Sequence[tuple[int, int]], budget: int) -> None:
        """Open the cache at `path`, or make an empty one.

        Args:
            path: a file in a temporary folder. Who opens it too gives the same sizes and budget.
            sizes: height and width of each photo.
            budget: bytes that photos may take; as many of the first photos are kept as fit.
        """
        self.path, self.sizes, self.budget = path, sizes, budget
        lengths = [height * width * CHANNELS for height, width in sizes]
        ends = np.fromiter(accumulate(lengths), np.int64, len(lengths))
        self.capacity = int(np.searchsorted(ends, budget, side="right"))
        self.starts = [self.capacity, *(self.capacity + ends[: self.capacity]).tolist()]
        self.file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        weakref.finalize(self, os.close, self.file)
        os.ftruncate(self.file, max(1, self.starts[-1]))
        self.bytes = np.frombuffer(mmap.mmap(self.file, 0, access=mmap.ACCESS_READ), np.uint8)

    def __reduce__(self) -> tuple[type[Self], tuple[Path, Sequence[tuple[int, int]], int]]:
        return type(self), (self.path, self.sizes, self.budget)

    def get(self, index: int) -> NDArray[np.uint8] | None:
        """A photo [H, W, 3] that has been put, read-only: no copy, but the shared memory itself."""
        if index >= self.capacity or not self.bytes[index]:
            return None
        pixels = self.bytes[self.starts[index] : self.starts[index + 1]]
        return pixels.reshape(*self.sizes[index], CHANNELS)

    def put(self, index: int, photo: NDArray[np.uint8]) -> bool:
        """Keep a photo [H, W, 3] of the size announced.

        False if it is beyond the budget, or the file system has become full: all goes on without.
        """
        assert photo.shape == (*self.sizes[index], CHANNELS), "as announced"
        if index >= self.capacity:
            return False
        pixels = np.ascontiguousarray(photo).data
        try:
            # Not through the map: where room is short, that would be a bus error.
            if os.pwrite(self.file, pixels, self.starts[index]) < photo.nbytes:
                return False
            os.pwrite(self.file, b"\x01", index)
        except OSError:
            return False
        return True

    def remove(self) -> None:
        """Take the file's name away, so that nothing stays behind, not even after a kill.

        Processes that have opened the cache go on using it; no other can open it any more.
        """
        self.path.unlink(missing_ok=True)
