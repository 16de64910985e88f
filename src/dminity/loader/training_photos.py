"""The photos of a split as the network trains on them: read, kept in memory, augmented.

What an item is follows from the seed, the epoch and the position in it: the number of loader
workers, and the order in which they ask, change nothing.
"""

import random
from bisect import bisect
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from numpy.random.mtrand import get_bit_generator, set_bit_generator
from numpy.typing import NDArray
from torch.utils.data import Dataset

from dminity.data import voc
from dminity.detection.letterbox import fit, fitted_size, scale_to_fit
from dminity.loader.augmentation import Augmentation
from dminity.loader.batches import Turn, class_aware_shares, earlier_turns, epoch_order
from dminity.loader.photo_cache import PhotoCache
from dminity.loader.photos import Image, Labels, Size
from dminity.loader.settings import AugmentationSettings, Unverified
from dminity.loader.unknown import Unknown, fitted_unknown

# Partners for mosaic and mixup are drawn from so many photos that follow each other in an epoch:
# each is then decoded once for all its turns. They are other photos in each epoch.
NEIGHBORS = 64


class LabeledPhotos:
    """The photos of a split, fitted to the input size, and their labels.

    Labels are [N, 5], float32: xyxy in pixels of the fitted photo, and the class. `difficult`
    objects are none of them: they are no single thing to learn, and neither is what lies in them
    background (`loader.unknown`). A photo is seldom decoded twice: it is taken from a cache, or is
    one of the NEIGHBORS that were used last (79 MB of 640 x 640 in each process).
    """

    def __init__(
        self,
        folder: Path,
        split: str,
        classes: tuple[str, ...],
        input_size: Size,
        unverified: Unverified,
    ) -> None:
        self.class_index = {name: index for index, name in enumerate(classes)}
        self.folder = folder
        self.input_size = input_size
        self.unverified = unverified
        self.annotate(voc.read_split(folder, split, classes))
        self.sizes = [
            fitted_size(annotation.height, annotation.width, input_size)
            for annotation in self.annotations
        ]
        self.cache: PhotoCache | None = None
        self.recent: dict[int, Image] = {}  # in the order of their last use

    def __len__(self) -> int:
        return len(self.annotations)

    def annotate(self, annotations: list[voc.Annotation]) -> None:
        """Take the labels from annotations of the same photos, in the same order."""
        self.annotations = annotations
        self.all_labels = [
            fitted_labels(annotation, self.class_index, self.input_size)
            for annotation in annotations
        ]
        self.all_unknown = [
            fitted_unknown(annotation, self.class_index, self.input_size, self.unverified)
            for annotation in annotations
        ]

    def keep_in(self, cache: PhotoCache) -> None:
        """From now on, keep decoded photos in a cache of their `sizes`."""
        self.cache = cache

    def size(self, index: int) -> Size:
        """A fitted photo's height and width."""
        return self.sizes[index]

    def labels(self, index: int) -> Labels:
        """A photo's labels [N, 5], float32: xyxy in its pixels, and the class."""
        return self.all_labels[index]

    def unknown(self, index: int) -> Unknown:
        """What is unknown of a photo, in its pixels."""
        return self.all_unknown[index]

    def pixels(self, index: int) -> Image:
        """A fitted photo [H, W, 3], BGR, read-only."""
        cached = self.cache.get(index) if self.cache else None
        if cached is not None:
            return cached
        photo = self.recent.pop(index, None)
        if photo is None:
            photo = self.decoded(index)
            photo.flags.writeable = False
            if self.cache and self.cache.put(index, photo):
                return photo
        self.recent[index] = photo
        if len(self.recent) > NEIGHBORS:
            del self.recent[next(iter(self.recent))]
        return photo

    def decoded(self, index: int) -> Image:
        """Decode and fit a photo: [H, W, 3], BGR.

        Raises:
            PhotoMissing: if it is not there or does not decode.
            SizeMismatch: if its annotation is of a photo of another size.
        """
        return fit(voc.annotated_photo(self.folder, self.annotations[index]), self.input_size)

    def some(self, indices: NDArray[np.int64]) -> "SomePhotos":
        """A view of the photos at some indices [M], in that order."""
        return SomePhotos(self, indices.tolist())


class SomePhotos:
    """Some photos out of all, by their number among them."""

    def __init__(self, photos: LabeledPhotos, indices: list[int]) -> None:
        self.photos = photos
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def size(self, number: int) -> Size:
        """A photo's height and width."""
        return self.photos.size(self.indices[number])

    def labels(self, number: int) -> Labels:
        """A photo's labels [N, 5], float32: xyxy in its pixels, and the class."""
        return self.photos.labels(self.indices[number])

    def unknown(self, number: int) -> Unknown:
        """What is unknown of a photo, in its pixels."""
        return self.photos.unknown(self.indices[number])

    def pixels(self, number: int) -> Image:
        """A photo [H, W, 3], BGR, read-only."""
        return self.photos.pixels(self.indices[number])


def fitted_labels(
    annotation: voc.Annotation, class_index: dict[str, int], input_size: Size
) -> Labels:
    """The labels [N, 5] of a photo fitted to the input size: xyxy in its pixels, and the class."""
    scale = scale_to_fit(annotation.height, annotation.width, input_size)
    labels = [
        (*(side * scale for side in item.xyxy_pixels), class_index[item.label])
        for item in annotation.objects
        if not item.difficult
    ]
    return np.array(labels, np.float32).reshape(-1, 5)


class TrainingPhotos(Dataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """Augmented photos and their targets, by their turn in an epoch.

    Items are an image [H, W, 3], uint8, BGR; targets [MAX_LABELS, 5], float32: the class, and
    cxcywh in input pixels, where rows of zeros are padding; and the map [H / 4, W / 4], int64, of
    what is unknown, or [0, 0] for every photo where all is known of all of them.
    """

    def __init__(
        self, photos: LabeledPhotos, settings: AugmentationSettings, plain_from: int
    ) -> None:
        """Augment `photos`; from epoch `plain_from` on without mosaic and mixup."""
        self.photos = photos
        self.seed = settings.seed
        self.plain_from = plain_from
        self.augmentation = Augmentation(photos.input_size, settings)
        self.all_is_known = not any(len(unknown.bits) for unknown in photos.all_unknown)
        self.sampling = settings.sampling
        self.shares = self.class_aware_shares()
        self.epoch = -1
        self.order = self.earlier = np.empty(0, np.int64)
        self.blocks: list[NDArray[np.int64]] = []
        self.starts: list[int] = []

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, turn: Turn) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        neighbors, number = self.neighbors(turn)
        with seeded(self.seed, turn.epoch, neighbors.indices[number], *self.again(turn)):
            image, targets, unknown = self.augmentation(
                neighbors, number, turn.epoch < self.plain_from
            )
        size = (0, 0) if self.all_is_known else self.photos.input_size
        points = torch.from_numpy(unknown.mapped(size))
        return torch.from_numpy(image), torch.from_numpy(targets), points

    def annotate(self, annotations: list[voc.Annotation]) -> None:
        """Take the labels from annotations of the same photos, in the same order."""
        self.photos.annotate(annotations)
        self.shares = self.class_aware_shares()

    def class_aware_shares(self) -> NDArray[np.float64] | None:
        """How often each photo comes in an epoch; None if each comes once."""
        if self.sampling == "photos":
            return None
        labels = (self.photos.labels(index) for index in range(len(self)))
        return class_aware_shares([of_photo[:, 4].astype(int) for of_photo in labels])

    def neighbors(self, turn: Turn) -> tuple[SomePhotos, int]:
        """The neighbors of the photo whose turn it is, itself among them, and its number there."""
        self.enter(turn.epoch)
        block = bisect(self.starts, turn.position) - 1
        return self.photos.some(self.blocks[block]), turn.position - self.starts[block]

    def again(self, turn: Turn) -> tuple[int, ...]:
        """What tells the later turns of a photo in an epoch from its first: other augmentation."""
        earlier = int(self.earlier[turn.position])
        return (earlier,) if earlier else ()

    def image_id(self, turn: Turn) -> str:
        """The id of the photo whose turn it is."""
        self.enter(turn.epoch)
        return self.photos.annotations[int(self.order[turn.position])].image_id

    def enter(self, epoch: int) -> None:
        """Put the photos into the order of an epoch."""
        if epoch != self.epoch:
            self.order = epoch_order(len(self), self.seed, epoch, self.shares)
            self.earlier = earlier_turns(self.order)
            self.blocks = np.array_split(self.order, -(-len(self.order) // NEIGHBORS))
            self.starts = list(accumulate(map(len, self.blocks), initial=0))
            self.epoch = epoch


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """Let `random` and `np.random` draw what follows from the key, and then go on as before."""
    sequence = np.random.SeedSequence(key)
    state, generator = random.getstate(), get_bit_generator()
    random.seed(sequence.generate_state(1, np.uint64).item())
    # Another generator for NumPy, as saving and setting the state of one takes 0.07 ms.
    set_bit_generator(np.random.PCG64(sequence))
    try:
        yield
    finally:
        random.setstate(state)
        set_bit_generator(generator)
