"""A split of a VOC folder as the network and YOLOX's augmentations want it."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset
from yolox.data import MosaicDetection, TrainTransform
from yolox.data.datasets import Dataset as YoloxDataset

from dminity import voc
from dminity.detector.letterbox import fit, letterbox, scale_to_fit
from dminity.errors import DminityError
from dminity.params import Train

MAX_LABELS = 120
# YOLOX's own settings for its mosaic.
DEGREES = 10.0
TRANSLATE = 0.1
SHEAR = 2.0
MOSAIC_SCALE = (0.5, 1.5)


class PhotoMissing(DminityError):
    """A photo of the VOC folder is missing or cannot be decoded."""


def read_photo(folder: Path, image_id: str) -> NDArray[np.uint8]:
    """A photo of a VOC folder: [H, W, 3], BGR.

    Raises:
        PhotoMissing: if the file is not there or does not decode.
    """
    path = voc.photo_path(folder, image_id)
    photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if photo is None:
        raise PhotoMissing(f"{path} is missing or no photo; run `dvc repro resize`")
    return photo.astype(np.uint8, copy=False)


class LabelledPhotos(YoloxDataset):  # type: ignore[misc]
    """The photos of a split, fitted to the input size, in the form that YOLOX's mosaic pulls.

    Labels are [N, 5]: xyxy in pixels of the fitted photo, and the class. `difficult` objects are
    left out: they are groups, no single thing to learn.
    """

    def __init__(
        self, folder: Path, split: str, classes: tuple[str, ...], input_size: tuple[int, int]
    ) -> None:
        super().__init__(input_size)
        self.folder = folder
        self.annotations = voc.read_split(folder, split)
        self.class_index = {name: index for index, name in enumerate(classes)}

    def __len__(self) -> int:
        return len(self.annotations)

    def load_anno(self, index: int) -> NDArray[np.float32]:
        """The labels of a photo."""
        annotation = self.annotations[index]
        scale = scale_to_fit(annotation.height, annotation.width, self.input_dim)
        objects = [item for item in annotation.objects if not item.difficult]
        labels = [
            [*(side * scale for side in item.xyxy_pixels), self.class_index[item.label]]
            for item in objects
        ]
        return np.array(labels, np.float32).reshape(-1, 5)

    def pull_item(self, index: int) -> tuple[NDArray[np.uint8], Any, tuple[int, int], int]:
        """A photo, its labels, its published size and its index."""
        photo = fit(read_photo(self.folder, self.annotations[index].image_id), self.input_dim)
        return photo, self.load_anno(index), photo.shape[:2], index


class TrainingPhotos(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Augmented photos and their targets, by YOLOX's own mosaic, mixup and transform.

    Items are an image [3, H, W], BGR, 0-255, and targets [MAX_LABELS, 5]: the class, and cxcywh in
    input pixels; rows of zeros are padding.
    """

    def __init__(self, photos: LabelledPhotos, settings: Train) -> None:
        self.augmented = MosaicDetection(
            photos,
            img_size=photos.input_dim,
            preproc=TrainTransform(MAX_LABELS, settings.flip, settings.hsv),
            degrees=DEGREES,
            translate=TRANSLATE,
            shear=SHEAR,
            mosaic_scale=MOSAIC_SCALE,
            mosaic_prob=settings.mosaic,
            mixup_prob=settings.mixup,
        )

    def __len__(self) -> int:
        return len(self.augmented)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image, targets, _, _ = self.augmented[index]
        return torch.from_numpy(image), torch.from_numpy(targets)

    def stop_mosaic(self) -> None:
        """From now on no mosaic and no mixup, as in YOLOX's last epochs."""
        self.augmented.enable_mosaic = False


class PlainPhotos(Dataset[tuple[torch.Tensor, int]]):
    """Letterboxed photos [3, H, W], BGR, 0-255, each with its index among the annotations."""

    def __init__(
        self, folder: Path, annotations: list[voc.Annotation], input_size: tuple[int, int]
    ) -> None:
        self.folder = folder
        self.annotations = annotations
        self.input_size = input_size

    def __len__(self) -> int:
        return len(self.annotations)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        photo = read_photo(self.folder, self.annotations[index].image_id)
        return torch.from_numpy(letterbox(photo, self.input_size)), index
