"""How photos are downloaded."""

from pydantic import PositiveInt

from dminity.core.parameters import Section, Share


class FetchSettings(Section):
    """The section `fetch` of params.yaml."""

    connections: PositiveInt
    attempts: PositiveInt
    min_side: PositiveInt
    max_missing: Share
