"""The photos of each epoch, dealt out in batches to the processes of a training."""

from collections import Counter
from typing import Any

import cv2
from torch.utils.data import DataLoader, Subset

from dminity.core.child import end_with_parent
from dminity.loader.batches import epoch_batches
from dminity.loader.failures import Failure, Guarded, LoaderEnded, batched
from dminity.loader.training_photos import TrainingPhotos
from dminity.loader.validation_photos import ValidationPhotos
from dminity.training.schedule import Schedule
from dminity.training.settings import TrainSettings
from dminity.training.signals import end_silently_on_interrupt

# Beyond it a batch makes an epoch shorter, not better: learning rates are given for one of 64.
LARGEST_AUTO_BATCH = 64


def start_worker(worker: int) -> None:
    """Let a process of a DataLoader keep to one core, and end with the other without a word."""
    del worker
    end_with_parent()
    end_silently_on_interrupt()
    cv2.setNumThreads(0)


class _LateLoader(DataLoader[Any]):
    """A loader whose workers start when the first batch is asked for, and whose errors are theirs.

    Lightning makes two iterators in each epoch and uses one.
    """

    def __iter__(self) -> Any:
        try:
            batches = super().__iter__()
        except OSError as error:
            raise LoaderEnded(
                f"loader processes cannot start ({error}); set train.workers=0"
            ) from error
        for batch in batches:
            if isinstance(batch, Failure):
                raise batch.error
            yield batch


class Loaders:
    """The batches of a training and of its validation.

    Attributes:
        batch_size: photos of a pass over all processes: `train.batch_size`, or what was measured
            for it; None until then.
    """

    def __init__(
        self,
        photos: TrainingPhotos,
        validation_photos: ValidationPhotos,
        settings: TrainSettings,
        schedule: Schedule,
        pin_memory: bool,
    ) -> None:
        self.photos = photos
        self.validation_photos = validation_photos
        self.settings = settings
        self.pin_memory = pin_memory
        self.schedule = schedule
        self.batch_size = None if settings.batch_size == "auto" else settings.batch_size

    def training(self, epoch: int, rank: int, processes: int) -> DataLoader[Any]:
        """One process's share of the batches of an epoch."""
        photos_per_step = self.photos_per_step(epoch)
        batches = epoch_batches(len(self.photos), photos_per_step, epoch, rank, processes)
        return self._loader(self.photos, batch_sampler=batches)

    def validation(self, rank: int, processes: int) -> DataLoader[Any]:
        """One process's share of the validation photos; no photo is in two shares."""
        photos = self.validation_photos
        share = Subset(photos, range(rank, len(photos), processes))
        return self._loader(share, batch_size=max(1, self.photos_per_pass() // processes))

    def photos_per_step(self, epoch: int) -> int:
        """Photos of a step over all passes and processes, in an epoch."""
        return self.schedule.batch_size(epoch, self.photos_per_pass()) * self.settings.accumulate

    def photos_per_pass(self) -> int:
        """Photos of a pass over all processes, where no batch schedule says otherwise."""
        assert self.batch_size is not None, "it is measured before the first batch"
        return self.batch_size

    def photos_in(self, epoch: int) -> int:
        """Photos that an epoch trains on."""
        return sum(map(len, epoch_batches(len(self.photos), self.photos_per_step(epoch), epoch)))

    def steps(self) -> int:
        """Steps of the whole training; the fewest that there may be, until a batch is measured."""
        pass_size = self.batch_size or LARGEST_AUTO_BATCH
        epochs_of = Counter(
            self.schedule.batch_size(epoch, pass_size) * self.settings.accumulate
            for epoch in range(self.settings.epochs)
        )
        return sum(
            epochs * len(epoch_batches(len(self.photos), size, 0))
            for size, epochs in epochs_of.items()
        )

    def image_ids(self, epoch: int, batch: int) -> list[str]:
        """The photos of a batch, over all processes."""
        turns = epoch_batches(len(self.photos), self.photos_per_step(epoch), epoch)[batch]
        return [self.photos.image_id(turn) for turn in turns]

    def _loader(self, photos: Any, **batching: Any) -> DataLoader[Any]:
        """A loader with this run's workers; they are forked, to share the photos in memory."""
        workers = self.settings.workers
        return _LateLoader(
            Guarded(photos),
            collate_fn=batched,
            num_workers=workers,
            worker_init_fn=start_worker,
            multiprocessing_context="fork" if workers else None,
            pin_memory=self.pin_memory,
            **batching,
        )
