"""What augmentations work on: photos and their labels, as arrays."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dminity.loader.unknown import Unknown

# [H, W, 3], uint8, BGR.
Image = NDArray[np.uint8]
# [N, 5], float32: xyxy in pixels of the image, and the class.
Labels = NDArray[np.float32]
# Height and width in pixels.
Size = tuple[int, int]


class Photos(Protocol):
    """Labeled photos, fitted to the input size. What the methods return is not to be changed."""

    def __len__(self) -> int: ...

    def size(self, index: int) -> Size:
        """A photo's height and width, known without decoding it."""

    def labels(self, index: int) -> Labels:
        """A photo's labels [N, 5]: xyxy in its pixels, and the class."""

    def unknown(self, index: int) -> Unknown:
        """What is unknown of a photo, in its pixels."""

    def pixels(self, index: int) -> Image:
        """A photo [H, W, 3], BGR."""
