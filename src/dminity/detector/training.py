"""Training: YOLOX's network, losses, schedule and moving average, in Lightning's loop."""

import copy
import math
from pathlib import Path
from typing import Any

import lightning as L
import torch
from dvclive.live import Live
from lightning.pytorch.callbacks import Callback
from torch import nn
from torch.utils.data import DataLoader
from yolox.utils import ModelEMA
from yolox.utils.lr_scheduler import LRScheduler

from dminity import voc
from dminity.detections import Detections, ground_truth
from dminity.detector.dataset import LabelledPhotos, PlainPhotos, TrainingPhotos
from dminity.detector.prediction import to_detections
from dminity.errors import DminityError
from dminity.evaluation.average_precision import score
from dminity.params import Train

# Peak rates are given for a batch of this size, as YOLOX gives them.
LR_BATCH = 64
# YOLOX's own settings.
EMA_DECAY = 0.9998
LOWEST_LR_SHARE = 0.05
VALIDATION_MIN_SCORE = 0.01
VALIDATION_NMS_IOU = 0.65
LOSSES = {
    "train/loss": "total_loss",
    "train/box_loss": "iou_loss",
    "train/obj_loss": "conf_loss",
    "train/cls_loss": "cls_loss",
}
BEST_BY = "metrics/mAP50-95"


class TrainingDiverged(DminityError):
    """The loss is no number any more."""


class DetectorTraining(L.LightningModule):
    """One run of training: steps, schedule, and evaluation of the averaged weights."""

    def __init__(
        self,
        network: nn.Module,
        settings: Train,
        training: TrainingPhotos,
        validation: list[voc.Annotation],
        classes: tuple[str, ...],
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.settings = settings
        self.training_photos = training
        self.annotations = validation
        self.classes = classes
        self.ema = ModelEMA(self.network, EMA_DECAY)
        self.found: dict[int, Detections] = {}
        self.no_aug_epochs = round(settings.epochs * settings.no_aug)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """SGD with YOLOX's three groups: batch norm, weights (the only ones to decay), biases."""
        norms = [m.weight for m in self.network.modules() if isinstance(m, nn.BatchNorm2d)]
        convolutions = [m for m in self.network.modules() if isinstance(m, nn.Conv2d)]
        biases = [
            m.bias
            for m in self.network.modules()
            if isinstance(m, nn.Conv2d | nn.BatchNorm2d) and m.bias is not None
        ]
        groups: list[dict[str, Any]] = [
            {"params": norms},
            {
                "params": [m.weight for m in convolutions],
                "weight_decay": self.settings.weight_decay,
            },
            {"params": biases},
        ]
        return torch.optim.SGD(
            groups, lr=1e-9, momentum=self.settings.momentum, nesterov=True, fused=True
        )

    def on_train_start(self) -> None:
        """Lay the learning rate out over the steps of this run, and the averaging on its device."""
        self.ema.ema.to(self.device)
        self.schedule = LRScheduler(
            "yoloxwarmcos",
            self.settings.lr * self.settings.batch_size / LR_BATCH,
            int(self.trainer.num_training_batches),
            self.settings.epochs,
            warmup_epochs=self.settings.epochs * self.settings.warmup,
            no_aug_epochs=self.no_aug_epochs,
            min_lr_ratio=LOWEST_LR_SHARE,
        )

    def on_train_epoch_start(self) -> None:
        """In the last epochs, plain photos and the L1 loss."""
        if self.current_epoch >= self.settings.epochs - self.no_aug_epochs:
            self.training_photos.stop_mosaic()
            self.network.head.use_l1 = True  # type: ignore[union-attr]

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Set the learning rate of this step."""
        lr = self.schedule.update_lr(self.global_step + 1)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = lr

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        """The total loss of a batch: images [B, 3, H, W], targets [B, labels, 5].

        Raises:
            TrainingDiverged: if it is not finite.
        """
        images, targets = batch
        try:
            losses = self.network(images.contiguous(memory_format=torch.channels_last), targets)
        except RuntimeError as error:
            # Scores that are no numbers fail in the assignment's cross entropy, before the loss.
            if "between 0 and 1" not in str(error):
                raise
            raise self.diverged(batch_idx) from error
        total: torch.Tensor = losses["total_loss"]
        if not math.isfinite(total.item()):
            raise self.diverged(batch_idx)
        for name, key in LOSSES.items():
            self.log(name, losses[key], on_step=False, on_epoch=True, batch_size=len(images))
        self.log("loss", total, prog_bar=True, logger=False)
        return total

    def diverged(self, batch_idx: int) -> TrainingDiverged:
        """The error for a loss that is no number, with the mend."""
        return TrainingDiverged(
            f"the loss is no number in batch {batch_idx} of epoch {self.current_epoch}; lower "
            "train.lr, or lengthen train.warmup"
        )

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Let the averaged weights follow."""
        self.ema.update(self.network)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Collect what the averaged weights find."""
        images, indices = batch
        outputs = self.ema.ema(images.contiguous(memory_format=torch.channels_last))
        annotations = [self.annotations[index] for index in indices.tolist()]
        found = to_detections(
            outputs,
            [(annotation.height, annotation.width) for annotation in annotations],
            tuple(images.shape[2:]),
            VALIDATION_MIN_SCORE,
            VALIDATION_NMS_IOU,
        )
        self.found.update(zip(indices.tolist(), found, strict=True))

    def on_validation_epoch_end(self) -> None:
        """Score what was found in the whole split."""
        truths = [ground_truth(annotation, self.classes) for annotation in self.annotations]
        scores = score(truths, [self.found[index] for index in range(len(truths))], self.classes)
        self.found = {}
        self.log("metrics/mAP50", scores.ap50, prog_bar=True)
        self.log(BEST_BY, scores.ap)
        self.log("metrics/precision", scores.precision)
        self.log("metrics/recall", scores.recall)


class BestWeights(Callback):
    """Keeps the averaged weights of the best epoch; the first epoch always counts."""

    def __init__(self) -> None:
        self.best_ap = -1.0
        self.network: nn.Module | None = None

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Compare this epoch with the best so far."""
        assert isinstance(pl_module, DetectorTraining)
        ap = float(trainer.callback_metrics[BEST_BY])
        if ap > self.best_ap:
            self.best_ap = ap
            self.network = copy.deepcopy(pl_module.ema.ema)


class LiveMetrics(Callback):
    """Writes one row of metrics per epoch with DVCLive."""

    def __init__(self, live: Live) -> None:
        self.live = live

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the epoch's losses, scores and learning rates."""
        for name, value in trainer.callback_metrics.items():
            if name.startswith(("train/", "metrics/")):
                self.live.log_metric(name, float(value))
        for index, group in enumerate(trainer.optimizers[0].param_groups):
            self.live.log_metric(f"x/lr{index}", float(group["lr"]))
        self.live.next_step()  # type: ignore[no-untyped-call]


def train(
    network: nn.Module, settings: Train, folder: Path, classes: tuple[str, ...], live: Live
) -> nn.Module:
    """Train a network on the VOC folder; return it with the averaged weights of its best epoch."""
    input_size = (settings.input_size, settings.input_size)
    training = TrainingPhotos(LabelledPhotos(folder, "train", classes, input_size), settings)
    validation = PlainPhotos(folder, voc.read_split(folder, "validation"), input_size)
    best = BestWeights()
    trainer = L.Trainer(
        max_epochs=settings.epochs,
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        callbacks=[best, LiveMetrics(live)],
    )
    trainer.fit(
        DetectorTraining(network, settings, training, validation.annotations, classes),
        DataLoader(
            training,
            settings.batch_size,
            shuffle=True,
            drop_last=len(training) > settings.batch_size,
            num_workers=settings.workers,
        ),
        DataLoader(validation, settings.batch_size, num_workers=settings.workers),
    )
    assert best.network is not None, "an epoch always ends with a validation"
    return best.network
