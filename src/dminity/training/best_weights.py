"""The weights that a training delivers: those of its best validation."""

from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback

from dminity.training.loop import DetectorTraining
from dminity.training.validation import BEST_BY


class BestWeights(Callback):
    """Keeps the averaged weights of the best validation, that of the start included.

    Of validations that all find nothing, it is the last one.
    """

    def __init__(self) -> None:
        self.ap = -1.0
        self.weights: dict[str, torch.Tensor] = {}

    def state_dict(self) -> dict[str, Any]:
        """The best so far, for the checkpoint."""
        return {"ap": self.ap, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The best of before an interruption."""
        self.ap, self.weights = state_dict["ap"], state_dict["weights"]

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Compare this validation with the best so far."""
        assert isinstance(pl_module, DetectorTraining)
        ap = pl_module.validation.figures[BEST_BY]
        # As long as validation tells no weights apart, those that have learned most are the best.
        if ap > self.ap or ap == self.ap == 0:
            self.ap = ap
            weights = pl_module.average.state_dict()
            self.weights = {name: value.detach().cpu().clone() for name, value in weights.items()}
