"""How a detector is evaluated."""

from pydantic import NonNegativeInt, PositiveInt

from dminity.core.parameters import Section


class EvaluateSettings(Section):
    """The section `evaluate` of params.yaml."""

    batch_size: PositiveInt
    pictures: NonNegativeInt
