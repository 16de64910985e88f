"""How a detector is trained."""

from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)

from dminity.core.parameters import NumberOrAuto, OrAuto, Share
from dminity.loader.settings import AugmentationSettings, FixedAugmentations, Unverified
from dminity.remote.address import Address, LocalPath
from dminity.training.optimizer import OptimizerName


def _epoch_keys(value: object) -> object:
    """The same mapping with whole numbers for keys; `dvc exp run -S` writes them as text."""
    if not isinstance(value, dict):
        return value
    return {int(key) if str(key).isdecimal() else key: size for key, size in value.items()}


class FixedSettings(FixedAugmentations):
    """What is the same for all trainings, unless it is changed."""

    pretrained: LocalPath
    pseudo_labels: LocalPath
    release: Address
    batch_size: NumberOrAuto
    batch_schedule: Annotated[dict[NonNegativeInt, PositiveInt], BeforeValidator(_epoch_keys)]
    accumulate: PositiveInt
    weight_decay: NonNegativeFloat
    momentum: Annotated[float, Field(gt=0, lt=1)]
    warmup: Share
    no_aug: Share
    unverified: Unverified
    patience: NonNegativeInt
    devices: NumberOrAuto
    num_nodes: PositiveInt
    precision: Literal["auto", "fp32", "bf16", "fp16"]
    compile: bool
    workers: NonNegativeInt
    cache_gb: NonNegativeFloat
    pictures_every: NonNegativeInt
    tensorboard: bool


InputSize = Annotated[int, Field(gt=0, multiple_of=32)]


class TrainSettings(FixedSettings, AugmentationSettings):
    """All that a training goes by."""

    input_size: InputSize
    multiscale: NonNegativeInt
    small_first: Share
    epochs: PositiveInt
    optimizer: OptimizerName
    lr: PositiveFloat
    muon_lr: PositiveFloat
    freeze: NonNegativeInt
    freeze_norms: bool
    clip: NonNegativeFloat

    @property
    def rates(self) -> str:
        """The parameters that say how long steps are, for a message."""
        return "train.lr" if self.optimizer == "sgd" else "train.lr and train.muon_lr"


class TrainSection(FixedSettings):
    """The section `train` of params.yaml; `training.recipe` says what `auto` is."""

    input_size: OrAuto[InputSize]
    multiscale: OrAuto[NonNegativeInt]
    small_first: OrAuto[Share]
    epochs: OrAuto[PositiveInt]
    optimizer: OrAuto[OptimizerName]
    lr: OrAuto[PositiveFloat]
    muon_lr: OrAuto[PositiveFloat]
    freeze: OrAuto[NonNegativeInt]
    freeze_norms: OrAuto[bool]
    clip: OrAuto[NonNegativeFloat]
    mosaic: OrAuto[Share]
