"""Settings of augmentation for tests and benchmarks."""

from typing import Any

from dminity.loader.settings import AugmentationSettings


def augmentations(**changes: Any) -> AugmentationSettings:
    """No augmentation and seed 1, but for the changes."""
    nothing = dict.fromkeys(AugmentationSettings.model_fields, 0.0) | {"seed": 1}
    return AugmentationSettings.model_validate(nothing | changes)
