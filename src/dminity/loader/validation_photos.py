"""Photos of a VOC folder as they are, with the targets that their losses want."""

from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from dminity.data import voc
from dminity.detection.boxes import xyxy_to_cxcywh
from dminity.detection.letterbox import letterbox
from dminity.loader.augmentation import padded
from dminity.loader.photos import Size
from dminity.loader.settings import Unverified
from dminity.loader.training_photos import fitted_labels
from dminity.loader.unknown import fitted_unknown


class ValidationPhotos(Dataset[tuple[torch.Tensor, int]]):
    """The photos of a split: letterboxed [H, W, 3], uint8, BGR, each with its position in it."""

    def __init__(
        self,
        folder: Path,
        split: str,
        classes: tuple[str, ...],
        input_size: Size,
        unverified: Unverified,
    ) -> None:
        self.folder = folder
        self.annotations = voc.read_split(folder, split, classes)
        self.classes = classes
        self.class_index = {name: index for index, name in enumerate(classes)}
        self.input_size = input_size
        self.unverified = unverified

    def __len__(self) -> int:
        return len(self.annotations)

    def __getitem__(self, position: int) -> tuple[torch.Tensor, int]:
        photo = voc.annotated_photo(self.folder, self.annotations[position])
        return torch.from_numpy(letterbox(photo, self.input_size)), position

    def sizes(self, positions: list[int]) -> list[tuple[int, int]]:
        """Height and width in pixels of the photos at some positions."""
        annotations = [self.annotations[position] for position in positions]
        return [(annotation.height, annotation.width) for annotation in annotations]

    def targets(self, positions: list[int]) -> torch.Tensor:
        """Targets [B, MAX_LABELS, 5], float32, of the photos at some positions.

        Rows are the class, and cxcywh in input pixels; rows of zeros are padding.
        """
        labels = [
            fitted_labels(self.annotations[position], self.class_index, self.input_size)
            for position in positions
        ]
        targets = [padded(rows[:, 4:], xyxy_to_cxcywh(rows[:, :4])) for rows in labels]
        return torch.from_numpy(np.stack(targets))

    def unknown(self, positions: list[int]) -> torch.Tensor:
        """Maps [B, H / 4, W / 4], int64, of what is unknown of the photos at some positions.

        [B, 0, 0] if nothing is.
        """
        found = [
            fitted_unknown(
                self.annotations[position], self.class_index, self.input_size, self.unverified
            )
            for position in positions
        ]
        size = self.input_size if any(len(unknown.bits) for unknown in found) else (0, 0)
        return torch.from_numpy(np.stack([unknown.mapped(size) for unknown in found]))
