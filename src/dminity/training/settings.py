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

from dminity.core.parameters import NumberOrAuto, Share
from dminity.loader.settings import AugmentationSettings, Unverified
from dminity.remote.address import Address, LocalPath
from dminity.training.optimizer import OptimizerName


def _epoch_keys(value: object) -> object:
    """The same mapping with whole numbers for keys; `dvc exp run -S` writes them as text."""
    if not isinstance(value, dict):
        return value
    return {int(key) if str(key).isdecimal() else key: size for key, size in value.items()}


class TrainSettings(AugmentationSettings):
    """The section `train` of params.yaml, which has the augmentations in it."""

    pretrained: LocalPath
    release: Address
    input_size: Annotated[int, Field(gt=0, multiple_of=32)]
    multiscale: NonNegativeInt
    small_first: Share
    epochs: PositiveInt
    batch_size: NumberOrAuto
    batch_schedule: Annotated[dict[NonNegativeInt, PositiveInt], BeforeValidator(_epoch_keys)]
    accumulate: PositiveInt
    optimizer: OptimizerName
    lr: PositiveFloat
    muon_lr: PositiveFloat
    weight_decay: NonNegativeFloat
    momentum: Annotated[float, Field(gt=0, lt=1)]
    warmup: Share
    no_aug: Share
    freeze: NonNegativeInt
    freeze_norms: bool
    clip: NonNegativeFloat
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

    @property
    def rates(self) -> str:
        """The parameters that say how long steps are, for a message."""
        return "train.lr" if self.optimizer == "sgd" else "train.lr and train.muon_lr"
