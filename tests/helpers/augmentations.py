"""Settings of augmentation for tests and benchmarks."""

from typing import Any

from dminity.loader.settings import AugmentationSettings


def augmentations(**changes: Any) -> AugmentationSettings:
    """No augmentation and seed 1, but for the changes."""
    nothing: dict[str, Any] = dict.fromkeys(AugmentationSettings.model_fields, 0.0)
    nothing |= {"seed": 1, "sampling": "photos"}
    return AugmentationSettings.model_validate(nothing | changes)
