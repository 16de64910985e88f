"""What changes in the course of a training: rates, augmentation, batch and input sizes.

All of it is a function of the parameters and of where the training stands, so that a run that was
interrupted resumes as if it had not been. The phases are shares of the epochs: ten epochs warm up,
learn and settle as three hundred do.
"""

import numpy as np
from yolox.utils.lr_scheduler import LRScheduler

from dminity.detection.letterbox import STRIDE
from dminity.training.settings import TrainSettings

# Peak rates are given for a step of so many photos, as YOLOX gives them.
LR_BATCH = 64
LOWEST_LR_SHARE = 0.05
# Multi-scale training draws another side every so many batches, in steps of the coarsest stride.
BATCHES_PER_SIDE = 10
# The side at the start of a training, if it begins smaller (https://arxiv.org/abs/2104.00298).
SMALL_SIDE_SHARE = 0.75


class Schedule:
    """The course of one training."""

    def __init__(self, settings: TrainSettings) -> None:
        self.settings = settings
        plain_epochs = round(settings.epochs * settings.no_aug)
        self.small_epochs = round(settings.epochs * settings.small_first)
        # From this epoch on: no mosaic, no mixup, the lowest rate.
        self.plain_from = settings.epochs - plain_epochs
        # The library's schedule, counted in epochs instead of steps: their number may change.
        self.lr_of_64 = LRScheduler(
            "yoloxwarmcos",
            settings.lr,
            iters_per_epoch=1,
            total_epochs=settings.epochs,
            warmup_epochs=settings.epochs * settings.warmup,
            no_aug_epochs=plain_epochs,
            min_lr_ratio=LOWEST_LR_SHARE,
        )

    def lr(self, epochs_done: float, photos_per_step: int) -> float:
        """The learning rate of a step that ends at `epochs_done`, a fraction of an epoch included.

        With t epochs done of T, of which W warm up and N come last, and the peak p and the lowest
        rate q = p x LOWEST_LR_SHARE (YOLOX's `yoloxwarmcos`):

            t <= W            p (t / W)^2
            W < t < T - N     q + (p - q) (1 + cos(pi (t - W) / (T - W - N))) / 2
            t >= T - N        q

        It is proportional to the photos that a step takes (https://arxiv.org/abs/1706.02677).
        """
        return float(self.lr_of_64.update_lr(epochs_done)) * photos_per_step / LR_BATCH

    def muon_lr(self, epochs_done: float) -> float:
        """Muon's learning rate: of the same course, and the same for steps of any photos.

        Its steps are as long for any gradient, those of few photos too.
        """
        share = float(self.lr_of_64.update_lr(epochs_done)) / self.settings.lr
        return self.settings.muon_lr * share

    def is_plain(self, epoch: int) -> bool:
        """Whether an epoch belongs to the last phase, without mosaic and mixup."""
        return epoch >= self.plain_from

    def is_frozen(self, epoch: int) -> bool:
        """Whether the backbone keeps still in an epoch."""
        return epoch < self.settings.freeze

    def batch_size(self, epoch: int, batch_size: int) -> int:
        """Photos per batch of an epoch: what `batch_schedule` said last, or else `batch_size`."""
        begun = [start for start in self.settings.batch_schedule if start <= epoch]
        return self.settings.batch_schedule[max(begun)] if begun else batch_size

    @property
    def largest_side(self) -> int:
        """The largest side of the network input in this training, in pixels."""
        return self.settings.input_size + STRIDE * self.settings.multiscale

    def side(self, epoch: int, batch: int) -> int:
        """The side of the network input in a batch, in pixels: a multiple of 32."""
        steps = self.settings.multiscale
        draw = np.random.default_rng([self.settings.seed, epoch, batch // BATCHES_PER_SIDE])
        change = int(draw.integers(-steps, steps, endpoint=True))
        share = SMALL_SIDE_SHARE if epoch < self.small_epochs else 1
        # Rounded down: smaller photos are to save time.
        side = STRIDE * (int(self.settings.input_size * share) // STRIDE + change)
        return max(STRIDE, side)
