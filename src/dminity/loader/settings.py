"""How photos are changed at random before training sees them, and what of them is unknown."""

from typing import Literal

from pydantic import NonNegativeInt

from dminity.core.parameters import Section, Share

# What a class that nobody looked for in a photo is there: not known, or not there.
Unverified = Literal["ignore", "absent"]


class AugmentationSettings(Section):
    """The probability of each augmentation, per photo, and the seed of all draws."""

    mosaic: Share
    mixup: Share
    hsv: Share
    flip: Share
    seed: NonNegativeInt
