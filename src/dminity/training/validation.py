"""Validation: losses and scores of a detector on the validation split, over all processes."""

import torch

from dminity.data.voc import ground_truth
from dminity.detection.detections import Detections
from dminity.detection.letterbox import network_input
from dminity.evaluation.coco import score
from dminity.loader.validation_photos import ValidationPhotos
from dminity.network.detector import Detector
from dminity.network.losses import LOSSES, LossSums, head_losses
from dminity.training.processes import gathered, total

BEST_BY = "val/mAP50-95"


class Validation:
    """The validation split, and how a detector does on it.

    Attributes:
        figures: the metrics of the last validation, by name.
        found: its detections, by position in the split.
    """

    def __init__(self, photos: ValidationPhotos) -> None:
        self.photos = photos
        self.figures: dict[str, float] = {}
        self.found: dict[int, Detections] = {}
        self.sums = LossSums.zeros(torch.device("cpu"))

    def start(self, device: torch.device) -> None:
        """Begin a validation of photos that come on a device."""
        self.found = {}
        self.sums = LossSums.zeros(device)

    def add(self, detector: Detector, images: torch.Tensor, positions: torch.Tensor) -> None:
        """Collect the losses and detections of a batch.

        These are the steps of `Detector.find`, with the losses taken from the same features.

        Args:
            detector: its network in evaluation mode.
            images: letterboxed photos [B, H, W, 3], uint8, BGR.
            positions: [B], where in the split they are.
        """
        listed = positions.tolist()
        inputs = network_input(images)
        head = detector.network.head
        features = detector.network.backbone(inputs)
        targets = self.photos.targets(listed).to(images.device)
        self.sums += LossSums.of(head_losses(head, features, targets, inputs), targets)
        found = detector.detections(head(features), self.photos.sizes(listed))
        self.found.update(zip(listed, found, strict=True))

    def finish(self) -> None:
        """Score what all processes found; each photo counts once."""
        self.found = gathered(self.found)
        classes = self.photos.classes
        truths = [ground_truth(annotation, classes) for annotation in self.photos.annotations]
        scores = score(truths, [self.found[index] for index in range(len(truths))], classes)
        losses = LossSums(total(self.sums.values)).means()
        self.figures = {f"val/{name}": losses[name] for name in LOSSES} | {
            "val/mAP50": scores.ap50,
            BEST_BY: scores.ap,
            "val/precision": scores.precision,
            "val/recall": scores.recall,
        }
