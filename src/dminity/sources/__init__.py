"""Where photos and their boxes come from. Stages know `Source` and nothing behind it."""

from dminity import params
from dminity.sources.demo import RenderedRooms
from dminity.sources.openimages import OpenImages
from dminity.sources.source import Source


def open_source(name: str, openimages: params.OpenImages, demo: params.Demo) -> Source:
    """The source of that name."""
    if name == "openimages":
        return OpenImages(openimages)
    return RenderedRooms(demo)
