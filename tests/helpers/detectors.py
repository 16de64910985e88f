"""Detectors that find something without having learned anything."""

from pathlib import Path

import torch
from yolox.models import YoloxModule

from dminity.network.detector import Detector, build_network, save_detector

SPREAD = 1000


def random_detector(seed: int) -> Detector:
    """A network whose scores are spread over 0 to 1; a fresh one's are all alike."""
    torch.manual_seed(seed)
    network = build_network("yolox_nano", 3).eval()
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            # The usual initial weights make signals fade on their way to the head.
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)
            if "stem.conv" in name and "backbone.backbone" in name:
                module.weight.data /= 255
            if "cls_preds" in name or "obj_preds" in name:
                module.weight.data *= SPREAD
    return Detector(network, "yolox_nano", ("Bed", "Sink", "Kitchen & dining room table"), (64, 96))


def save(detector: Detector, path: Path) -> Path:
    """Write a detector's file; return its path."""
    weights = detector.network.state_dict()
    save_detector(weights, detector.variant, detector.classes, detector.input_size, path)
    return path


def nano(classes: int = 2) -> YoloxModule:
    """A small network in evaluation mode, the same every time."""
    torch.manual_seed(0)
    return build_network("yolox_nano", classes).eval()


def save_nano(path: Path) -> None:
    """Write that network as a detector of two classes."""
    save_detector(nano().state_dict(), "yolox_nano", ("Bed", "Sink"), (64, 96), path)


# Of the networks and targets that training is tested with.
CLASSES = 30


def targets(photos: int, boxes: int, side: int, seed: int) -> torch.Tensor:
    """Random targets [photos, 120, 5]; the nth photo has n fewer boxes."""
    draw = torch.Generator().manual_seed(seed)
    table = torch.zeros(photos, 120, 5)
    for photo in range(photos):
        for box in range(max(0, boxes - photo)):
            label = torch.randint(CLASSES, (1,), generator=draw)
            table[photo, box] = torch.cat([label, torch.rand(4, generator=draw) * side / 2 + 4])
    return table
