"""How a detector is evaluated."""

from pydantic import NonNegativeInt, PositiveInt

from dminity.core.parameters import Section, Share


class EvaluateSettings(Section):
    """The section `evaluate` of params.yaml."""

    batch_size: PositiveInt
    min_score: Share
    nms_iou: Share
    shown_score: Share
    pictures: NonNegativeInt
