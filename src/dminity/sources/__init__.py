"""Where photos and their boxes come from. Stages know `Source` and nothing behind it."""

from typing import Protocol

import pandas as pd

from dminity import params
from dminity.sources.demo import RenderedRooms
from dminity.sources.openimages import OpenImages


class Source(Protocol):
    """A published set of photos with boxes in three splits."""

    partial: bool
    """Whether a class without a single box is to be expected."""

    @property
    def version(self) -> str:
        """Changes when the photo behind an id changes, so that photos on disk are not trusted."""
        ...

    def boxes(self, split: str) -> pd.DataFrame:
        """Every box of the 30 amenities in a split, with the columns of `tables.BOXES`."""
        ...

    def photo(self, split: str, image_id: str) -> bytes:
        """The published JPEG. Raises OSError where it cannot be had."""
        ...


def open_source(name: str, openimages: params.OpenImages, demo: params.Demo, seed: int) -> Source:
    """The source of that name."""
    if name == "openimages":
        return OpenImages(openimages)
    return RenderedRooms(demo, seed)
