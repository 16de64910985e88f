"""Training: YOLOX's network, losses, schedule and moving average, in Lightning's loop.

What a step computes does not depend on how it is spread over processes: losses are sums over the
anchors that are matched to a box, divided once by their number in the whole batch, and batch norm
takes its statistics over all processes. Nor, but for batch norm, does it depend on the parts that
a batch is cut into to fit into memory. Nothing is drawn at random but by the seed, the
epoch and the photo or batch, so that a run that was interrupted ends as if it had not been.
"""

import math
import tempfile
import uuid
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.strategies import ParallelStrategy
from torch.nn.functional import interpolate
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import DataLoader, Subset
from yolox.models import YoloxModule

from dminity.core.errors import DminityError
from dminity.detection.letterbox import network_input
from dminity.loader.batches import epoch_batches
from dminity.loader.photo_cache import PhotoCache
from dminity.loader.training_photos import LateLoader, TrainingPhotos, start_worker
from dminity.network.detector import Detector
from dminity.network.losses import SUMS, loss_sums, means
from dminity.training.averaging import average_of, follow
from dminity.training.batch_norm import hold_statistics
from dminity.training.checkpoints import ForeignCheckpoint
from dminity.training.hardware import largest_batch
from dminity.training.optimizer import sgd
from dminity.training.processes import check_share, gathered, total
from dminity.training.schedule import Schedule
from dminity.training.settings import TrainSettings
from dminity.training.validation import Validation

SHOWN_PHOTOS = 8
# Beyond it a batch makes an epoch shorter, not better: learning rates are given for one of 64.
LARGEST_AUTO_BATCH = 64


class TrainingDiverged(DminityError):
    """The loss is no number any more."""


class OutOfMemory(DminityError):
    """A batch does not fit into the memory of the device."""


class DetectorTraining(L.LightningModule):
    """One run of training: photos, steps, and evaluation of the averaged weights.

    Attributes:
        validation: the validation split, with what was last found in it.
    """

    def __init__(
        self,
        network: YoloxModule,
        settings: TrainSettings,
        variant: str,
        photos: TrainingPhotos,
        validation: Validation,
        fingerprint: str,
        resumes: bool,
    ) -> None:
        super().__init__()
        # A step may take several passes, after an out-of-memory error more than were planned.
        self.automatic_optimization = False
        self.network = network.to(memory_format=torch.channels_last)
        self.average = average_of(self.network)
        photos_seen = validation.photos
        self.detector = Detector(self.average, variant, photos_seen.classes, photos_seen.input_size)
        self.settings = settings
        self.schedule = Schedule(settings)
        self.photos = photos
        self.validation = validation
        self.fingerprint = fingerprint
        self.resumes = resumes
        self.batch_size = None if settings.batch_size == "auto" else settings.batch_size
        self.parts = settings.accumulate
        self.losses: list[dict[str, float]] = []

    @property
    def epochs_done(self) -> int:
        """Epochs whose training is over."""
        return int(self.trainer.fit_loop.epoch_progress.current.processed)  # type: ignore[attr-defined]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what the weights alone do not tell."""
        checkpoint["fingerprint"] = self.fingerprint
        checkpoint["batch_size"] = self.batch_size
        checkpoint["parts"] = self.parts

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take it back.

        Raises:
            ForeignCheckpoint: if it is of another run.
        """
        if checkpoint.get("fingerprint") != self.fingerprint:
            raise ForeignCheckpoint(
                f"the checkpoint is of {checkpoint.get('fingerprint')}, this run of "
                f"{self.fingerprint}: other parameters or photos; delete its folder in models"
            )
        self.batch_size = checkpoint["batch_size"]
        self.parts = checkpoint["parts"]
        check_share(
            "train.batch_size, as it was found to fit,", self.batch_size, self.trainer.world_size
        )

    def setup(self, stage: str) -> None:
        """Share the decoded photos with the other processes of this machine, and compile.

        Raises:
            ForeignCheckpoint: if not all processes go on from the same checkpoint.
        """
        mine = (self.fingerprint, self.resumes)
        if len(set(gathered({self.trainer.global_rank: mine}).values())) > 1:
            raise ForeignCheckpoint(
                "not all machines have the same photos, parameters and models/unfinished; let "
                "them share one folder of the project"
            )
        if self.settings.cache_gb:
            name = self.trainer.strategy.broadcast(f"dminity-{uuid.uuid4().hex}")
            photos = self.photos.photos
            budget = int(self.settings.cache_gb * 1e9)
            cache = PhotoCache(Path(tempfile.gettempdir()) / name, photos.sizes, budget)
            photos.keep_in(cache)
            self.trainer.strategy.barrier()
            cache.remove()
        if self.settings.compile:
            self.network.backbone.compile()

    # ── Photos ───────────────────────────────────────────────────────────────────────────────────

    def train_dataloader(self) -> DataLoader[Any]:
        """This process's share of the batches of the epoch to come."""
        epoch = self.epochs_done
        rank, processes = self.trainer.global_rank, self.trainer.world_size
        photos_per_step = self.photos_per_step(epoch)
        batches = epoch_batches(len(self.photos), photos_per_step, epoch, rank, processes)
        return self.loader(self.photos, batch_sampler=batches)

    def val_dataloader(self) -> DataLoader[Any]:
        """This process's share of the validation photos; no photo is in two shares."""
        rank, processes = self.trainer.global_rank, self.trainer.world_size
        photos = self.validation.photos
        share = Subset(photos, range(rank, len(photos), processes))
        batch_size = max(1, self.photos_per_part() // processes)
        return self.loader(share, batch_size=batch_size)

    def loader(self, photos: Any, **batching: Any) -> DataLoader[Any]:
        """A loader with this run's workers; they are forked, to share the photos in memory."""
        workers = self.settings.workers
        return LateLoader(
            photos,
            num_workers=workers,
            worker_init_fn=start_worker,
            multiprocessing_context="fork" if workers else None,
            pin_memory=self.device.type == "cuda",
            **batching,
        )

    def photos_per_step(self, epoch: int) -> int:
        """Photos of a step over all parts and processes, in an epoch."""
        return self.schedule.batch_size(epoch, self.photos_per_part()) * self.settings.accumulate

    def on_fit_start(self) -> None:
        """Measure which batch fits, where `train.batch_size` is `auto`."""
        if self.batch_size is None:
            processes = self.trainer.world_size
            context = self.trainer.precision_plugin.train_step_context()
            side = self.schedule.largest_side
            fits = largest_batch(self.network, side, context, self.trainer.num_devices)
            smallest = min(gathered({self.trainer.global_rank: fits}).values())
            self.batch_size = max(1, min(smallest, LARGEST_AUTO_BATCH // processes)) * processes

    def photos_per_part(self) -> int:
        """`train.batch_size`, or what was measured for it."""
        assert self.batch_size is not None, "it is measured before the first batch"
        return self.batch_size

    def photos_trained_on(self) -> int:
        """Photos of the epoch that has just ended."""
        batches = epoch_batches(
            len(self.photos), self.photos_per_step(self.current_epoch), self.current_epoch
        )
        return sum(len(batch) for batch in batches)

    # ── Steps ────────────────────────────────────────────────────────────────────────────────────

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """YOLOX's own."""
        return sgd(self.network, self.settings.weight_decay, self.settings.momentum)

    def on_train_epoch_start(self) -> None:
        """Enter the phase that the epoch belongs to."""
        self.losses = []
        self.network.head.use_l1 = self.schedule.is_plain(self.current_epoch)
        backbone_frozen = self.schedule.is_frozen(self.current_epoch)
        self.network.backbone.backbone.requires_grad_(not backbone_frozen)
        hold_statistics(self.network, self.settings.freeze_norms)
        if backbone_frozen:
            hold_statistics(self.network.backbone.backbone, True)

    def training_step(self, batch: Any, batch_idx: int) -> None:
        """Learn from a batch: photos [B, H, W, 3], uint8, and targets [B, labels, 5].

        Raises:
            TrainingDiverged: if the loss is not finite; the weights are as they were before.
            OutOfMemory: if the batch does not fit, and is not to be cut into smaller parts.
        """
        images, targets = batch
        optimizer = cast(LightningOptimizer, self.optimizers())
        sums = self.add_up_gradients(optimizer, images, targets, batch_idx)
        losses, anchors = means(total(sums))
        # The gradients are of sums over the matched anchors of this process, averaged over the
        # processes and divided by its photos: what is wanted is their mean over all anchors.
        self.scale_gradients(self.trainer.world_size * len(images) / anchors)
        gradient_norm = self.clip_gradients_to(self.settings.clip or math.inf)
        if not all(map(math.isfinite, (gradient_norm, *losses.values()))):
            raise self.diverged(batch_idx)
        for group in optimizer.param_groups:
            group["lr"] = self.lr(batch_idx)
        optimizer.step()
        follow(self.average, self.network, self.global_step)
        self.losses.append(losses)
        self.log("loss", losses["loss"], prog_bar=True, logger=False)

    def lr(self, batch_idx: int) -> float:
        """The learning rate of a step."""
        epochs_done = self.current_epoch + (batch_idx + 1) / self.trainer.num_training_batches
        return self.schedule.lr(epochs_done, self.photos_per_step(self.current_epoch))

    def add_up_gradients(
        self,
        optimizer: LightningOptimizer,
        images: torch.Tensor,
        targets: torch.Tensor,
        batch_idx: int,
    ) -> torch.Tensor:
        """Forward and backward in parts; parts that do not fit are halved, if that is wanted.

        Returns the sums of `loss_sums` over the parts.
        """
        side = self.schedule.side(self.current_epoch, batch_idx)
        while True:
            optimizer.zero_grad()
            try:
                return self.pass_parts(images, targets, side)
            except torch.OutOfMemoryError as error:
                self.parts = self.halved_parts(len(images), error)
            # Not until the error is gone does it let go of the memory.
            torch.cuda.empty_cache()

    def pass_parts(self, images: torch.Tensor, targets: torch.Tensor, side: int) -> torch.Tensor:
        """Forward and backward, part by part; processes exchange gradients after the last."""
        sums = torch.zeros(SUMS, device=self.device)
        parts = list(zip(images.chunk(self.parts), targets.chunk(self.parts), strict=True))
        for number, part in enumerate(parts):
            part_images, part_targets = resized(*part, side)
            with nullcontext() if number == len(parts) - 1 else self.without_exchange():
                losses = self.network(part_images, part_targets)
                self.manual_backward(losses["total_loss"] / len(images))
            sums += loss_sums(losses, part_targets)
        return sums

    def without_exchange(self) -> AbstractContextManager[None]:
        """Gradients stay in their process for now."""
        strategy = self.trainer.strategy
        if isinstance(strategy, ParallelStrategy):
            return cast(AbstractContextManager[None], strategy.block_backward_sync())
        return nullcontext()

    def halved_parts(self, photos: int, error: torch.OutOfMemoryError) -> int:
        """Twice as many parts as so far."""
        alone = self.trainer.world_size == 1
        if self.settings.batch_size != "auto" or not alone or self.parts * 2 > photos:
            raise OutOfMemory(
                f"{-(-photos // self.parts)} photos at once do not fit into the memory of "
                f"{self.device}; lower train.batch_size (and raise train.accumulate), or "
                "train.input_size"
            ) from error
        return self.parts * 2

    def scale_gradients(self, factor: float) -> None:
        """Multiply all gradients."""
        gradients = [
            weights.grad for weights in self.network.parameters() if weights.grad is not None
        ]
        torch._foreach_mul_(gradients, factor)

    def clip_gradients_to(self, limit: float) -> float:
        """Shorten the gradient of the step to a norm; return what its norm was.

        In fp16 gradients are multiplied by a scale until the optimizer steps, which leaves out
        steps that overflow: 0 is returned for their norm.
        """
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        scale = float(scaler.get_scale()) if scaler else 1.0
        norm = float(clip_grad_norm_(self.network.parameters(), limit * scale)) / scale
        return norm if math.isfinite(norm) or not scaler else 0.0

    def diverged(self, batch_idx: int) -> TrainingDiverged:
        """The error for a loss that is no number, with the mend."""
        epoch = self.current_epoch
        batch = epoch_batches(len(self.photos), self.photos_per_step(epoch), epoch)[batch_idx]
        names = [self.photos.image_id(turn) for turn in batch]
        shown = ", ".join(names[:SHOWN_PHOTOS]) + (", …" if len(names) > SHOWN_PHOTOS else "")
        return TrainingDiverged(
            f"the loss is no number in batch {batch_idx} of epoch {epoch} (photos {shown}); lower "
            "train.lr, or lengthen train.warmup"
        )

    def check_validation(self) -> None:
        """Refuse the averaged weights if their losses are no numbers."""
        if not all(map(math.isfinite, self.validation.figures.values())):
            raise TrainingDiverged(
                f"the validation loss is no number after epoch {self.current_epoch}; lower "
                "train.lr, or lengthen train.warmup"
            )

    def epoch_figures(self) -> dict[str, float]:
        """The epoch's mean losses, its validation, and the last learning rates."""
        figures = {
            f"train/{name}": sum(step[name] for step in self.losses) / len(self.losses)
            for name in self.losses[0]
            if name != "l1_loss" or self.schedule.is_plain(self.current_epoch)
        }
        groups = self.trainer.optimizers[0].param_groups
        rates = {f"x/lr{index}": float(group["lr"]) for index, group in enumerate(groups)}
        return figures | self.validation.figures | rates

    # ── Validation, of the averaged weights ──────────────────────────────────────────────────────

    def on_validation_epoch_start(self) -> None:
        """Forget the last one."""
        self.validation.start(self.device)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Look at photos [B, H, W, 3] and their positions [B]."""
        self.validation.add(self.detector, *batch)

    def on_validation_epoch_end(self) -> None:
        """Score what all processes found in the whole split."""
        self.validation.finish()
        ap50 = self.validation.figures["val/mAP50"]
        self.log("mAP50", ap50, prog_bar=True, logger=False, sync_dist=True)


def resized(
    images: torch.Tensor, targets: torch.Tensor, side: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Photos [B, H, W, 3] as network input of a side, and their targets in its pixels."""
    inputs = network_input(images)
    if side == inputs.shape[-1]:
        return inputs, targets
    scale = side / inputs.shape[-1]
    factors = targets.new_tensor([1, scale, scale, scale, scale])
    return interpolate(inputs, size=(side, side), mode="bilinear"), targets * factors
