"""A first sign of whether a training learns, long before its first epoch may be over."""

import copy
import time
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback

from dminity.core.progress import line
from dminity.data.voc import ground_truth
from dminity.detection.detections import Detections
from dminity.detection.letterbox import network_input
from dminity.evaluation.coco import score
from dminity.network.detector import Detector
from dminity.training.loop import DetectorTraining

# A minute from the start of a run is half a minute of steps: before, programs and photos are read.
SECONDS, FEWEST_STEPS = 30.0, 10
PHOTOS, BATCH = 32, 8
# Losses are told as means of so many steps: single ones differ much.
STEPS = 5


class FirstSign(Callback):
    """Says after half a minute how far the loss has fallen, and what is found by then.

    It looks with a copy of the network at the first validation photos, in the first process, and
    leaves no trace: neither in weights and statistics, nor in what is drawn, nor in rows but for
    the speed of the first epoch, in which its second or two count. A training that is resumed, or
    whose first epoch is over by then, has told already.
    """

    def __init__(self) -> None:
        self.began = 0.0
        self.due = False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The first step begins."""
        del pl_module
        self.began = time.monotonic()
        self.due = trainer.is_global_zero and trainer.current_epoch == 0

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        """Look, if it is time."""
        del trainer
        assert isinstance(pl_module, DetectorTraining)
        late = time.monotonic() - self.began >= SECONDS
        if self.due and late and len(pl_module.losses) >= FEWEST_STEPS:
            self.due = False
            _say(pl_module)

    def on_train_epoch_end(self, *_: Any) -> None:
        """From now on each epoch tells of itself."""
        self.due = False


def _say(training: DetectorTraining) -> None:
    """Say in a line what there is to see so far."""
    losses = [step["loss"] for step in training.losses]
    first, now = (sum(some) / len(some) for some in (losses[:STEPS], losses[-STEPS:]))
    photos = training.validation.photos
    annotations = photos.annotations[:PHOTOS]
    truths = [ground_truth(annotation, photos.classes) for annotation in annotations]
    ap50 = score(truths, _found_so_far(training, len(truths)), photos.classes).ap50
    line(
        f"first sign, after {len(losses)} steps: loss {first:.2f} at first, {now:.2f} now; AP50 "
        f"{ap50:.3f} on {len(truths)} validation photos"
    )


@torch.no_grad()
def _found_so_far(training: DetectorTraining, count: int) -> list[Detections]:
    """What the weights as they are find in the first validation photos, so many.

    Batch norms that learn take the statistics of these photos: running ones follow so slowly, in a
    long training, that with them nothing is found for hundreds of steps. Of several processes only
    one looks, so that theirs cannot be taken.
    """
    network = copy.deepcopy(training.network)
    network.training = network.head.training = False
    if training.trainer.world_size > 1 or count < 2:
        network.eval()
    known, photos = training.detector, training.validation.photos
    detector = Detector(network, known.variant, known.classes, known.input_size)
    found = []
    for some in torch.arange(count).chunk(max(1, count // BATCH)):
        positions = some.tolist()
        images = torch.stack([photos[position][0] for position in positions])
        outputs = network(network_input(images.to(training.device)))
        found += detector.detections(outputs, photos.sizes(positions))
    return found
