"""YOLOX's own loader, the one that ours is compared with."""

from typing import Any

from yolox.data import MosaicDetection, TrainTransform

from dminity.loader.augmentation import MAX_LABELS
from dminity.loader.mosaic import DEGREES, SCALE, SHEAR, TRANSLATE
from dminity.loader.settings import AugmentationSettings


def yolox_loader(
    photos: Any, input_size: tuple[int, int], settings: AugmentationSettings, mosaic: bool = True
) -> MosaicDetection:
    """YOLOX's mosaic, mixup and transform, over photos in the form that its mosaic pulls."""
    return MosaicDetection(
        photos,
        img_size=input_size,
        mosaic=mosaic,
        preproc=TrainTransform(MAX_LABELS, settings.flip, settings.hsv),
        degrees=DEGREES,
        translate=TRANSLATE,
        shear=SHEAR,
        mosaic_scale=SCALE,
        mosaic_prob=settings.mosaic,
        mixup_prob=settings.mixup,
    )
