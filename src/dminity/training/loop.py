"""The course of a training, as hooks of Lightning's loop.

Lightning calls them, and those of its callbacks, in this order:

    setup, on_fit_start                           pseudo-labels, shared photos, the batch that fits
    validation, as below                          of trained weights, before the first step
    for each epoch:
        train_dataloader, on_train_epoch_start    its batches; its phase
        for each batch: training_step             gradients, update, moving average
        FirstSign.on_train_batch_end              a first look, after half a minute
        on_validation_epoch_start                 of the averaged weights:
        for each batch: validation_step           losses and detections
        on_validation_epoch_end                   scores
        BestWeights.on_validation_end             kept if they are the best
        Recording.on_validation_end               pictures
        Prospects.on_train_epoch_end              is it bound to fail?
        Recording.on_train_epoch_end              row; is it settled?; checkpoint

Nothing is drawn at random but by the seed, the epoch and the photo or batch, so that a training
that was interrupted ends as if it had not been.
"""

import math
import tempfile
import uuid
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch.utils.data import DataLoader
from yolox.models import YoloxModule

from dminity.core.errors import DminityError, some
from dminity.core.progress import note
from dminity.loader.photo_cache import CHANNELS, PhotoCache, room_for_photos
from dminity.loader.training_photos import TrainingPhotos
from dminity.network.detector import Detector
from dminity.training.averaging import average_of, averaged, follow
from dminity.training.batch_norm import hold_statistics, shorten_memory
from dminity.training.checkpoints import ForeignCheckpoint
from dminity.training.hardware import accelerator, fits, largest_batch
from dminity.training.loaders import LARGEST_AUTO_BATCH, Loaders
from dminity.training.optimizer import optimizer
from dminity.training.processes import check_share, gathered, raise_in_first
from dminity.training.pseudo_labels import with_pseudo_labels
from dminity.training.schedule import Schedule
from dminity.training.settings import TrainSettings
from dminity.training.step import Batch, OutOfMemory, Step
from dminity.training.validation import Validation

SHOWN_PHOTOS = 8


class TrainingDiverged(DminityError):
    """The loss is no number any more."""


class DetectorTraining(L.LightningModule):
    """One run of training: steps, and validation of the averaged weights.

    Attributes:
        validation: the validation split, and what was last found in it.
        losses: the losses of the batches of the epoch so far, by name.
        steps: how many there are in the whole training, known when the first epoch begins.
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
        seen = validation.photos
        self.detector = Detector(self.average, variant, seen.classes, seen.input_size)
        self.settings = settings
        self.schedule = Schedule(settings)
        self.photos = photos
        on_gpu = accelerator() == "cuda"
        self.loaders = Loaders(photos, seen, settings, self.schedule, pin_memory=on_gpu)
        self.step = Step(self.network, settings)
        self.validation = validation
        self.fingerprint = fingerprint
        self.resumes = resumes
        self.losses: list[dict[str, float]] = []
        self.steps = 0
        self.averaged: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])

    @property
    def epochs_done(self) -> int:
        """Epochs whose training is over."""
        return int(self.trainer.fit_loop.epoch_progress.current.processed)  # type: ignore[attr-defined]

    # ── Start ────────────────────────────────────────────────────────────────────────────────────

    def setup(self, stage: str) -> None:
        """Find pseudo-labels, share decoded photos with the processes of this machine, compile.

        Raises:
            ForeignCheckpoint: if not all processes resume the same checkpoint.
            BadModelFile: if `train.pseudo_labels` is no detector, or one of other classes.
        """
        mine = (self.fingerprint, self.resumes)
        if len(set(gathered({self.trainer.global_rank: mine}).values())) > 1:
            raise_in_first(
                ForeignCheckpoint(
                    "not all machines have the same photos, parameters and models/unfinished; let "
                    "them share one folder of the project"
                )
            )
        if self.settings.pseudo_labels != "none":
            self.label_photos(Path(self.settings.pseudo_labels))
        if self.settings.cache_gb:
            self.share_photos()
        if self.settings.compile:
            self.network.backbone.compile()

    def label_photos(self, model: Path) -> None:
        """Learn also from what a detector finds: the same in all processes, as one asks it."""
        labeled, strategy = self.photos.photos, self.trainer.strategy
        annotations = labeled.annotations
        if self.trainer.is_global_zero:
            annotations = with_pseudo_labels(
                annotations, labeled.folder, model, strategy.root_device
            )
        self.photos.annotate(strategy.broadcast(annotations))

    def share_photos(self) -> None:
        """Keep decoded photos in a file that all processes of this machine map, if it has room."""
        labeled = self.photos.photos
        all_photos = sum(height * width * CHANNELS for height, width in labeled.sizes)
        wanted = min(int(self.settings.cache_gb * 1e9), all_photos)
        budget = min(wanted, *gathered({self.trainer.global_rank: room_for_photos()}).values())
        if budget < wanted:
            note(
                f"the temporary folder has room for {budget / 1e6:.1f} of {wanted / 1e6:.1f} MB of "
                "decoded photos; the others are decoded anew in each epoch, unless TMPDIR names a "
                "larger one"
            )
        name = self.trainer.strategy.broadcast(f"dminity-{uuid.uuid4().hex}")
        if budget:
            cache = PhotoCache(Path(tempfile.gettempdir()) / name, labeled.sizes, budget)
            labeled.keep_in(cache)
            self.trainer.strategy.barrier()
            cache.remove()

    def on_fit_start(self) -> None:
        """Measure which batch fits, where `train.batch_size` is `auto`.

        Raises:
            OutOfMemory: if a batch of a given size does not fit into this machine's memory.
        """
        trainer = self.trainer
        context = trainer.precision_plugin.train_step_context()
        side = self.schedule.largest_side
        if self.loaders.batch_size is None:
            most = largest_batch(self.network, side, context, trainer.num_devices)
            smallest = min(gathered({trainer.global_rank: most}).values())
            processes = trainer.world_size
            fair = max(1, min(smallest, LARGEST_AUTO_BATCH // processes)) * processes
            self.loaders.batch_size = fair
        elif self.settings.batch_size != "auto" and self.device.type == "cpu":
            sizes = (self.loaders.batch_size, *self.settings.batch_schedule.values())
            share = max(sizes) // trainer.world_size
            mine = fits(self.network, share, side, context, trainer.num_devices)
            if not all(gathered({trainer.global_rank: mine}).values()):
                raise_in_first(OutOfMemory(share, self.device))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """As `train.optimizer` says."""
        settings = self.settings
        return optimizer(self.network, settings.optimizer, settings.weight_decay, settings.momentum)

    # ── Epochs and steps ─────────────────────────────────────────────────────────────────────────

    def train_dataloader(self) -> DataLoader[Any]:
        """This process's share of the batches of the epoch to come."""
        trainer = self.trainer
        return self.loaders.training(self.epochs_done, trainer.global_rank, trainer.world_size)

    def on_train_epoch_start(self) -> None:
        """Freeze the backbone and hold batch norms, or not; set how long those remember."""
        self.losses = []
        self.steps = self.loaders.steps()
        self.averaged = averaged(self.average), averaged(self.network)
        backbone_frozen = self.schedule.is_frozen(self.current_epoch)
        self.network.backbone.backbone.requires_grad_(not backbone_frozen)
        shorten_memory(self.network, self.steps)
        hold_statistics(self.network, self.settings.freeze_norms)
        if backbone_frozen:
            hold_statistics(self.network.backbone.backbone, True)

    def training_step(self, batch: Any, batch_idx: int) -> None:
        """Learn from a batch, as `training.step` has it.

        Raises:
            TrainingDiverged: if the loss is not finite; the weights are as they were before.
            OutOfMemory: if the batch does not fit, and is not to be cut into smaller parts.
        """
        batch = Batch(*batch)
        epoch = self.current_epoch
        side = self.schedule.side(epoch, batch_idx)
        losses, gradient_norm = self.step.backward(self, batch, side)
        if not all(map(math.isfinite, (gradient_norm, *losses.values()))):
            raise_in_first(self.diverged(batch_idx))
        epochs_done = epoch + (batch_idx + 1) / self.trainer.num_training_batches
        lr = self.schedule.lr(epochs_done, self.loaders.photos_per_step(epoch))
        self.step.update(self, lr, self.schedule.muon_lr(epochs_done))
        follow(*self.averaged, self.global_step, self.steps)
        self.losses.append(losses)
        self.log("loss", losses["loss"], prog_bar=True, logger=False)

    def diverged(self, batch_idx: int) -> TrainingDiverged:
        """The error for a loss that is no number, with the mend."""
        names = self.loaders.image_ids(self.current_epoch, batch_idx)
        return TrainingDiverged(
            f"the loss is no number in batch {batch_idx} of epoch {self.current_epoch} (photos "
            f"{some(names, SHOWN_PHOTOS)}); lower {self.settings.rates}, or lengthen train.warmup"
        )

    # ── Validation, of the averaged weights ──────────────────────────────────────────────────────

    def val_dataloader(self) -> DataLoader[Any]:
        """This process's share of the validation photos."""
        return self.loaders.validation(self.trainer.global_rank, self.trainer.world_size)

    def on_validation_epoch_start(self) -> None:
        """Begin a validation."""
        self.validation.start(self.device)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Evaluate photos [B, H, W, 3], uint8, at positions [B] of the split."""
        self.validation.add(self.detector, *batch)

    def on_validation_epoch_end(self) -> None:
        """Score what all processes found in the whole split."""
        self.validation.finish()
        ap50 = self.validation.figures["val/mAP50"]
        self.log("mAP50", ap50, prog_bar=True, logger=False, sync_dist=True)

    def check_validation(self) -> None:
        """Refuse the averaged weights if their losses are no numbers.

        Raises:
            TrainingDiverged: naming the epoch.
        """
        if not all(map(math.isfinite, self.validation.figures.values())):
            raise_in_first(
                TrainingDiverged(
                    f"the validation loss is no number after epoch {self.current_epoch}; lower "
                    f"{self.settings.rates}, or lengthen train.warmup"
                )
            )

    # ── Checkpoints ──────────────────────────────────────────────────────────────────────────────

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what the weights alone do not tell."""
        checkpoint["fingerprint"] = self.fingerprint
        checkpoint["batch_size"] = self.loaders.batch_size
        checkpoint["parts"] = self.step.parts

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore what `on_save_checkpoint` added.

        Raises:
            ForeignCheckpoint: if it is of another run.
            UnevenBatch: if its batch cannot be shared by these processes.
        """
        if checkpoint.get("fingerprint") != self.fingerprint:
            raise ForeignCheckpoint(
                f"the checkpoint is of {checkpoint.get('fingerprint')}, this run of "
                f"{self.fingerprint}: other parameters or photos; delete the folder "
                f"models/unfinished/{self.fingerprint}"
            )
        self.loaders.batch_size = checkpoint["batch_size"]
        self.step.parts = checkpoint["parts"]
        check_share(
            "train.batch_size, as it was found to fit,",
            checkpoint["batch_size"],
            self.trainer.world_size,
        )
