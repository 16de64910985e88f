"""Photos of a VOC folder, as they are, for the network."""

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from dminity import voc
from dminity.detector.letterbox import letterbox
from dminity.errors import DminityError


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


class PlainPhotos(Dataset[tuple[torch.Tensor, int]]):
    """Letterboxed photos [H, W, 3], uint8, BGR, each with its index among the annotations."""

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
