"""How far an exported model may be from its original, and what its scores have to mean."""

from pydantic import PositiveFloat, PositiveInt

from dminity.core.parameters import Section, Share


class ExportSettings(Section):
    """The section `export` of params.yaml."""

    box_tolerance: PositiveFloat
    score_tolerance: PositiveFloat
    precision: Share
    max_ap_drop: Share
    threads: PositiveInt
