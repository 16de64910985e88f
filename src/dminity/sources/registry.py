"""The sources by name. Stages know `Source` and nothing behind it."""

from collections.abc import Callable

from dminity.sources.demo import RenderedRooms
from dminity.sources.openimages import OpenImages
from dminity.sources.settings import DemoSettings, OpenImagesSettings
from dminity.sources.source import Source


def open_source(name: str, openimages: OpenImagesSettings, demo: DemoSettings) -> Source:
    """The source of that name, with its settings."""
    sources: dict[str, Callable[[], Source]] = {
        "demo": lambda: RenderedRooms(demo),
        "openimages": lambda: OpenImages(openimages),
    }
    return sources[name]()
