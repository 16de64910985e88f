"""Validation: losses and scores of a detector on the validation split, over all processes."""

import torch

from dminity.data.voc import ground_truth
from dminity.detection.detections import Detections
from dminity.detection.letterbox import network_input
from dminity.evaluation.coco import score
from dminity.loader.validation_photos import ValidationPhotos
from dminity.network.detector import Detector
from dminity.network.losses import SUMS, head_losses, loss_sums, means
from dminity.training.processes import gathered, total

BEST_BY = "val/mAP50-95"
LOSSES = ("loss", "box_loss", "obj_loss", "cls_loss")


class Validation:
    """The validation split, evaluated after every epoch.

    Attributes:
        figures: metrics of the last validation, by name.
        found: its detections, by position in the split.
    """

    def __init__(self, photos: ValidationPhotos) -> None:
        self.photos = photos
        self.figures: dict[str, float] = {}
        self.found: dict[int, Detections] = {}
        self.sums = torch.zeros(0)

    def start(self, device: torch.device) -> None:
        """Begin a validation, on a device."""
        self.found = {}
        self.sums = torch.zeros(SUMS, device=device)

    def add(self, detector: Detector, images: torch.Tensor, positions: torch.Tensor) -> None:
        """Collect losses and detections of photos [B, H, W, 3] at positions [B] of the split.

        The steps of `Detector.find`, whose features the losses want too.
        """
        places = positions.tolist()
        inputs = network_input(images)
        head = detector.network.head
        features = detector.network.backbone(inputs)
        targets = self.photos.targets(places).to(images.device)
        self.sums += loss_sums(head_losses(head, features, targets, inputs), targets)
        found = detector.detections(head(features), self.photos.sizes(places))
        self.found.update(zip(places, found, strict=True))

    def finish(self) -> None:
        """Score what all processes found; each photo counts once."""
        self.found = gathered(self.found)
        classes = self.photos.classes
        truths = [ground_truth(annotation, classes) for annotation in self.photos.annotations]
        scores = score(truths, [self.found[index] for index in range(len(truths))], classes)
        losses, _ = means(total(self.sums))
        self.figures = {f"val/{name}": losses[name] for name in LOSSES} | {
            "val/mAP50": scores.ap50,
            BEST_BY: scores.ap,
            "val/precision": scores.precision,
            "val/recall": scores.recall,
        }
