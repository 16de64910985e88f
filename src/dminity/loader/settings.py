"""Which photos training sees, how they are changed at random before, what of them is unknown."""

from typing import Literal

from pydantic import NonNegativeInt

from dminity.core.parameters import Section, Share

# What a class that nobody looked for in a photo is there: not known, or not there.
Unverified = Literal["ignore", "absent"]


class FixedAugmentations(Section):
    """How photos are drawn, the probability of most augmentations, and the seed of all draws."""

    sampling: Literal["photos", "classes"]
    mixup: Share
    hsv: Share
    flip: Share
    seed: NonNegativeInt


class AugmentationSettings(FixedAugmentations):
    """All of them."""

    mosaic: Share
