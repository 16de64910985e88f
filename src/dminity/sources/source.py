"""What a source of photos and boxes is, to the stages."""

from pathlib import Path
from typing import NamedTuple, Protocol

import pandas as pd


class SourceFile(NamedTuple):
    """A published file that was read: its size, its CRC-32C, its rows, and those of interest."""

    name: str
    bytes: int
    crc32c: str
    rows: int
    kept: int


class Annotations(NamedTuple):
    """What is published in a split of the 30 amenities, their kinds and what they are kinds of.

    boxes: every box, as `tables.BOXES`. verified: which classes people confirmed to be in a photo
    or not to be, as `tables.VERIFIED`; they may contradict each other. Both by the names of the
    source. files: what they were read from.
    """

    boxes: pd.DataFrame
    verified: pd.DataFrame
    files: list[SourceFile]


class Source(Protocol):
    """A published set of photos with boxes in three splits."""

    partial: bool
    """Whether a class without a single box is to be expected."""

    may_recover: bool
    """Whether a bad photo may come right when it is asked for again, as over a network."""

    @property
    def version(self) -> str:
        """Changes when the photo behind an id changes, so that photos on disk are not trusted."""
        ...

    def annotations(self, split: str, work: Path) -> Annotations:
        """All that is known of a split. `work` is a folder for downloads that can be resumed."""
        ...

    def photo(self, split: str, image_id: str) -> bytes:
        """The published photo. Raises `remote.faults.Unavailable` where it cannot be had."""
        ...
