"""Where each source reads from, or what it renders."""

from pydantic import NonNegativeInt, PositiveInt

from dminity.core.parameters import Section
from dminity.remote.address import Address, Server


class OpenImagesSettings(Section):
    """Where Open Images, or a mirror of it, is read from: the section `openimages`."""

    annotations: Address
    images: Address
    s3_endpoint: Server
    partial: bool


class DemoSettings(Section):
    """How many rooms to render for each split, and which: the section `demo`."""

    seed: NonNegativeInt
    train: PositiveInt
    validation: PositiveInt
    test: PositiveInt
