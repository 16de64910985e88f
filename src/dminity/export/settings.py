"""How far an exported model may be from its original."""

from pydantic import PositiveFloat

from dminity.core.parameters import Section


class ExportSettings(Section):
    """The section `export` of params.yaml."""

    box_tolerance: PositiveFloat
    score_tolerance: PositiveFloat
