"""Where each source reads from, or what it renders."""

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt

from dminity.core.parameters import Section, Share
from dminity.remote.address import Address, Server


class OpenImagesSettings(Section):
    """Where Open Images, or a mirror of it, is read from: the section `openimages`."""

    annotations: Address
    images: Address
    s3_endpoint: Server
    partial: bool


class DemoSettings(Section):
    """How many rooms to render for each split, which, and what they lack: the section `demo`."""

    seed: NonNegativeInt
    train: PositiveInt
    validation: PositiveInt
    test: PositiveInt
    unverified: Share
    tail: Annotated[float, Field(ge=1)]
