"""How photos are changed at random before training sees them."""

from pydantic import NonNegativeInt

from dminity.core.parameters import Section, Share


class AugmentationSettings(Section):
    """The probability of each augmentation, per photo, and the seed of all draws."""

    mosaic: Share
    mixup: Share
    hsv: Share
    flip: Share
    seed: NonNegativeInt
