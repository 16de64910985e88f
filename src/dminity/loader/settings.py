"""Which photos training sees, and how they are changed at random before."""

from typing import Literal

from pydantic import NonNegativeInt

from dminity.core.parameters import Section, Share


class AugmentationSettings(Section):
    """How photos are drawn, the probability of each augmentation, and the seed of all draws."""

    sampling: Literal["photos", "classes"]
    mosaic: Share
    mixup: Share
    hsv: Share
    flip: Share
    seed: NonNegativeInt
