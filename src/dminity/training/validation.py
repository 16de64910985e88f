"""Validation: losses and scores of a network on the validation split, over all processes."""

import torch
from yolox.models import YoloxModule

from dminity.data.voc import ground_truth
from dminity.detection.detections import Detections
from dminity.evaluation.coco import score
from dminity.loader.training_photos import plain_targets
from dminity.network.detector import network_input
from dminity.network.losses import SUMS, head_losses, loss_sums, means
from dminity.network.prediction import PlainPhotos, to_detections
from dminity.training.processes import gathered, total

BEST_BY = "metrics/mAP50-95"
MIN_SCORE = 0.01
NMS_IOU = 0.65
LOSSES = ("loss", "box_loss", "obj_loss", "cls_loss")


class Validation:
    """The validation split, looked at after every epoch.

    Attributes:
        figures: of the last look, by name.
        found: what was found in it, by position in the split.
    """

    def __init__(self, photos: PlainPhotos, classes: tuple[str, ...]) -> None:
        self.photos = photos
        self.classes = classes
        self.figures: dict[str, float] = {}
        self.found: dict[int, Detections] = {}
        self.sums = torch.zeros(0)

    def start(self, device: torch.device) -> None:
        """Forget the last look."""
        self.found = {}
        self.sums = torch.zeros(SUMS, device=device)

    def add(self, network: YoloxModule, images: torch.Tensor, positions: torch.Tensor) -> None:
        """Collect losses and detections of photos [B, H, W, 3] at positions [B] of the split."""
        annotations = [self.photos.annotations[position] for position in positions.tolist()]
        inputs = network_input(images)
        features = network.backbone(inputs)
        targets = plain_targets(annotations, self.classes, self.photos.input_size)
        targets = targets.to(images.device)
        losses = head_losses(network.head, features, targets, inputs)
        self.sums += loss_sums(losses, targets)
        found = to_detections(
            network.head(features),
            [(annotation.height, annotation.width) for annotation in annotations],
            self.photos.input_size,
            MIN_SCORE,
            NMS_IOU,
        )
        self.found.update(zip(positions.tolist(), found, strict=True))

    def finish(self) -> None:
        """Score what all processes found; each photo counts once."""
        self.found = gathered(self.found)
        truths = [ground_truth(item, self.classes) for item in self.photos.annotations]
        scores = score(truths, [self.found[index] for index in range(len(truths))], self.classes)
        losses, _ = means(total(self.sums))
        self.figures = {f"val/{name}": losses[name] for name in LOSSES} | {
            "metrics/mAP50": scores.ap50,
            BEST_BY: scores.ap,
            "metrics/precision": scores.precision,
            "metrics/recall": scores.recall,
        }
