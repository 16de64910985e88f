"""What a training leaves to read and to look at: a row of figures per epoch, and pictures."""

import csv
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import lightning as L
import torch
from dvclive.live import Live
from lightning.pytorch.callbacks import Callback

from dminity.core.files import replacing_file
from dminity.core.progress import time_left
from dminity.data.voc import read_photo
from dminity.detection.detections import SHOWN_SCORE
from dminity.detection.drawing import draw_detections
from dminity.network.losses import LOSSES
from dminity.training.checkpoints import NotSaved
from dminity.training.loop import DetectorTraining
from dminity.training.validation import BEST_BY, Validation

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

Row = dict[str, float]
# Pictures are of the first photos of the validation split.
PICTURES = 8
# Figures that differ from run to run of the same training; they have a file of their own.
SPEED = "speed/"


class Recording(Callback):
    """Ends each epoch with its row of figures, and with the checkpoint that holds all rows so far.

    A row and the weights that it tells of are saved together or not at all. After an interruption
    the rows of the checkpoint are written again, into an empty folder: none is there twice, and
    none is missing. The step of a row is the number of epochs that were done; step 0 tells of the
    weights that training started from.

    Args:
        live: where rows go; None in all processes but the first.
        writer: TensorBoard, if it is wanted, in the first process.
        checkpoint: where the state of the training is kept.
        pictures: the folder of the pictures, `<photo>/<epochs done>.jpg`.
    """

    def __init__(
        self, live: Live | None, writer: "SummaryWriter | None", checkpoint: Path, pictures: Path
    ) -> None:
        self.live = live
        self.writer = writer
        self.checkpoint = checkpoint
        self.pictures = pictures
        self.rows: list[tuple[int, Row]] = []
        self.seconds: list[float] = []

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, for the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The rows of before an interruption."""
        self.rows = state_dict["rows"]

    def on_fit_start(self, *_: Any) -> None:
        """Write the rows of before an interruption, which may have come after the last epoch."""
        for step, row in self.rows:
            self.write(step, row)
        self.write_speed()

    def on_sanity_check_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add the row of the weights that training starts from."""
        assert isinstance(pl_module, DetectorTraining)
        self.rows.append((0, pl_module.validation.figures))
        self.write(*self.rows[-1])

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """End here if that was due already; else the first epoch begins."""
        assert isinstance(pl_module, DetectorTraining)
        self.stop_if_settled(trainer, pl_module)
        self.start_clock()

    def on_train_batch_start(self, *_: Any) -> None:
        """A batch is there: since the last one was done, the network has waited for it."""
        self.waited += time.perf_counter() - self.last_done

    def on_train_batch_end(self, *_: Any) -> None:
        """A batch is done."""
        self.last_done = time.perf_counter()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Draw what was found, in the epochs in which pictures are due."""
        assert isinstance(pl_module, DetectorTraining)
        training = pl_module
        every = training.settings.pictures_every
        epochs_done = 0 if trainer.sanity_checking else trainer.current_epoch + 1
        if self.live and every and epochs_done % every == 0:
            _draw(training.validation, self.pictures, epochs_done)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add the epoch's row, and save all.

        Raises:
            TrainingDiverged: if the last steps left weights that give no numbers; they are not
                saved.
        """
        assert isinstance(pl_module, DetectorTraining)
        training = pl_module
        training.check_validation()
        seconds = self.last_done - self.began
        photos = training.loaders.photos_in(trainer.current_epoch)
        row = _epoch_figures(training) | {
            f"{SPEED}images_per_second": photos / seconds,
            f"{SPEED}waiting_for_data": self.waited / seconds,
            f"{SPEED}peak_memory_gb": _peak_memory_gb(training.device),
        }
        self.rows.append((training.epochs_done, row))
        self.write(*self.rows[-1])
        self.write_speed()
        self.stop_if_settled(trainer, training)
        trainer.save_checkpoint(self.checkpoint, weights_only=False)
        self.seconds.append(time.perf_counter() - self.began)
        if self.live and not sys.stderr.isatty():
            step, epochs = training.epochs_done, training.settings.epochs
            left = time_left(self.seconds, 0 if trainer.should_stop else epochs - step)
            _say(step, epochs, row, left)
        self.start_clock()

    def start_clock(self) -> None:
        """From now on an epoch's seconds count."""
        self.began = self.last_done = time.perf_counter()
        self.waited = 0.0

    def write(self, step: int, row: Row) -> None:
        """Write a row down.

        Raises:
            NotSaved: if the disk is full.
        """
        try:
            self.hand_on(step, row)
        except OSError as error:
            raise NotSaved(f"the row of epoch {step}", error) from error

    def hand_on(self, step: int, row: Row) -> None:
        """Give a row to DVCLive and TensorBoard, and to `dvc metrics` the file that it reads."""
        for name, value in row.items():
            if self.live and not name.startswith(SPEED):
                self.live.step = step
                self.live.log_metric(name, value)
            if self.writer:
                self.writer.add_scalar(name, value, step)
        if self.live:
            self.live.make_summary()  # type: ignore[no-untyped-call]

    def write_speed(self) -> None:
        """Write the speed of each epoch, as a table for `dvc plots`: a column for each figure.

        Raises:
            NotSaved: if the disk is full.
        """
        speeds = [
            {"step": step} | {name.removeprefix(SPEED): row[name] for name in row if SPEED in name}
            for step, row in self.rows
            if any(SPEED in name for name in row)
        ]
        if not self.live or not speeds:
            return
        path = Path(self.live.dir) / "speed.csv"
        try:
            with replacing_file(path) as unfinished, unfinished.open("w", newline="") as file:
                table = csv.DictWriter(file, speeds[0])
                table.writeheader()
                table.writerows(speeds)
        except OSError as error:
            raise NotSaved(str(path), error) from error

    def stop_if_settled(self, trainer: L.Trainer, training: DetectorTraining) -> None:
        """End the training if validation has not got better for `patience` epochs.

        Epochs before anything was found do not count. Asked at the start too: a run may have been
        interrupted after its last epoch.
        """
        patience = training.settings.patience
        scores = [row[BEST_BY] for _, row in self.rows]
        if not patience or not any(scores):
            return
        if len(scores) - 1 - scores.index(max(scores)) >= patience:
            trainer.should_stop = True


def _epoch_figures(training: DetectorTraining) -> Row:
    """The mean losses of the epoch that is over, its validation, and the last learning rates."""
    steps = training.losses
    means = {f"train/{name}": sum(step[name] for step in steps) / len(steps) for name in steps[0]}
    groups = training.trainer.optimizers[0].param_groups
    rates = {f"x/lr{index}": float(group["lr"]) for index, group in enumerate(groups)}
    return means | training.validation.figures | rates


def _say(step: int, epochs: int, row: Row, left: str) -> None:
    """Say in a line how an epoch went, and how long the others may take."""
    parts = ", ".join(
        f"{name.removesuffix('_loss')} {row[f'train/{name}']:.2f}" for name in LOSSES[1:]
    )
    validation = f"validation AP {row[BEST_BY]:.3f}, AP50 {row['val/mAP50']:.3f}"
    speed = f"{row[f'{SPEED}images_per_second']:.1f} photos/s"
    line = f"epoch {step} of {epochs}: loss {row['train/loss']:.2f} ({parts}), {validation}"
    print(f"{line}, {speed}, {left} left", file=sys.stderr, flush=True)


def _draw(validation: Validation, folder: Path, epochs_done: int) -> None:
    """Draw what the averaged weights found in the first validation photos."""
    photos = validation.photos
    for number, annotation in enumerate(photos.annotations[:PICTURES]):
        photo = read_photo(photos.folder, annotation.image_id)
        picture = draw_detections(photo, validation.found[number], photos.classes, SHOWN_SCORE)
        path = folder / f"{number:02}" / f"{epochs_done:03}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), picture)


def _peak_memory_gb(device: torch.device) -> float:
    """The most memory that this process has had so far: of its GPU, or else of the machine."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
