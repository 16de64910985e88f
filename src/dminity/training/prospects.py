"""Whether a training can still succeed; if not, a line says so, with the likely cause.

What a training that learns looks like differs from recipe to recipe, but for this: its loss falls
from epoch to epoch, and long before its end it finds something.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from dminity.core.progress import note
from dminity.training.coverage import FEWEST_STEPS
from dminity.training.loop import DetectorTraining
from dminity.training.settings import TrainSettings

# AP50 below which nothing is found: what luck gives.
FOUND = 0.005
# A loss has fallen if it is at most so many times that of the first epoch, and risen from there on.
FALLEN, RISEN = 0.99, 1.03
# When something has to be found at the latest: share of the epochs, and steps.
DUE, DUE_STEPS = 0.4, 300
HELD = (
    "a backbone that is neither pretrained nor learns makes nothing of photos: lower train.freeze, "
    "or set train.pretrained"
)


@dataclass
class Course:
    """A training up to the end of an epoch.

    Attributes:
        losses: the mean loss of each epoch.
        steps: how many there were.
        best_ap50: of all validations, that of the weights it started from included.
    """

    losses: list[float] = field(default_factory=list)
    steps: int = 0
    best_ap50: float = 0.0


def doubt(course: Course, settings: TrainSettings) -> str | None:
    """Why a training is bound to fail, and the mend; None if nothing speaks for that."""
    epochs, first, now = len(course.losses), course.losses[0], course.losses[-1]
    # In half of the warm-up the rate has risen to a quarter of its peak, or further.
    early = epochs < max(2, 1 + settings.epochs * settings.warmup / 2)
    if course.best_ap50 >= FOUND or early or course.steps < FEWEST_STEPS:
        return None
    if now > FALLEN * first:
        return (
            f"nothing is learned: the loss was {first:.2f} in the first epoch, and is {now:.2f} "
            f"after {epochs}; {_mend_of_flat(now / first, epochs, settings)}"
        )
    if epochs >= DUE * settings.epochs and course.steps >= DUE_STEPS:
        return (
            f"nothing is found in validation after {epochs} of {settings.epochs} epochs, though "
            f"the loss fell from {first:.2f} to {now:.2f}; "
            f"{_mend_of_blind(epochs, settings)}"
        )
    return None


def _mend_of_flat(ratio: float, epochs: int, settings: TrainSettings) -> str:
    """What to do about a loss that is so many times what it was in the first epoch."""
    if _is_held(epochs, settings):
        return HELD
    if ratio < RISEN:
        return f"the weights hardly move: raise {settings.rates}"
    return f"the steps are too large: lower {settings.rates}, or lengthen train.warmup"


def _mend_of_blind(epochs: int, settings: TrainSettings) -> str:
    """What to do where losses fall, and nothing is found."""
    if _is_held(epochs, settings):
        return HELD
    return (
        "see by `dminity view --split train` whether the boxes fit the photos; if they do, lower "
        f"{settings.rates}"
    )


def _is_held(epochs: int, settings: TrainSettings) -> bool:
    """Whether a backbone that knows nothing has been kept from learning so far."""
    return settings.pretrained == "none" and settings.freeze >= epochs


class Prospects(Callback):
    """Says, at the end of the epoch in which it shows, that a training is bound to fail: once."""

    def __init__(self) -> None:
        self.course = Course()
        self.said = False

    def state_dict(self) -> dict[str, Any]:
        """The course so far, for the checkpoint."""
        return asdict(self.course) | {"said": self.said}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The course of before an interruption."""
        course = dict(state_dict)
        self.said = course.pop("said")
        self.course = Course(**course)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Remember the best that was found."""
        del trainer
        assert isinstance(pl_module, DetectorTraining)
        ap50 = pl_module.validation.figures["val/mAP50"]
        self.course.best_ap50 = max(self.course.best_ap50, ap50)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add the epoch, and say what it tells."""
        del trainer
        assert isinstance(pl_module, DetectorTraining)
        steps = pl_module.losses
        self.course.losses.append(sum(step["loss"] for step in steps) / len(steps))
        self.course.steps += len(steps)
        reason = None if self.said else doubt(self.course, pl_module.settings)
        if reason:
            self.said = True
            note(f"this training is bound to fail: {reason}")
