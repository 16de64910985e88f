"""Photos of requests, looked at by a bounded number of threads."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from dminity.detection.detections import Detections
from dminity.runtime.finding import BoxThresholds, Failed, Seen, look
from dminity.runtime.inputs import Picture
from dminity.runtime.photo import Photo, read_photo
from dminity.service.metrics import Metrics
from dminity.service.model_in_use import Model
from dminity.service.refusals import busy
from dminity.service.settings import Settings
from dminity.service.uploads import UploadedPhoto

Made = TypeVar("Made")


class Detecting:
    """Threads of one photo each, and the requests that wait for them.

    Args:
        settings: how many of both.
        metrics: what is counted.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._workers = settings.workers
        self._limits = settings.limits
        self._metrics = metrics
        self._waiting = 0
        self._executor = ThreadPoolExecutor(settings.workers, "look")

    @property
    def full(self) -> bool:
        """Whether no other request may wait."""
        return self._waiting >= self._limits.waiting

    def refuse_if_full(self) -> None:
        """Raise if no other request may wait.

        Raises:
            Refusal: then.
        """
        if self.full:
            raise busy("queue", "too many requests at once; try again in a moment")

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place among the requests that are looked at.

        Raises:
            Refusal: if all are taken.
        """
        self.refuse_if_full()
        self._waiting += 1
        self._metrics.queue.inc()
        try:
            yield
        finally:
            self._waiting -= 1
            self._metrics.queue.dec()

    async def look_at(
        self,
        photos: Sequence[UploadedPhoto],
        model: Model,
        make: Callable[[Picture, Photo, Detections], Made],
    ) -> list[Seen[Made] | Failed]:
        """What is in the photos of a request, in their order; those not begun end with it.

        Args:
            photos: as they came.
            model: that looks at them.
            make: as `runtime.finding.look` has it.
        """
        # A request of many photos leaves threads for the others.
        turn = asyncio.Semaphore(self._workers)
        loop = asyncio.get_running_loop()

        async def one(photo: UploadedPhoto) -> Seen[Made] | Failed:
            async with turn:
                work = partial(self._look, photo, model, make, time.perf_counter())
                return await loop.run_in_executor(self._executor, work)

        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(one(photo)) for photo in photos]
        return [done.result() for done in looks]

    def _look(
        self,
        photo: UploadedPhoto,
        model: Model,
        make: Callable[[Picture, Photo, Detections], Made],
        asked_at: float,
    ) -> Seen[Made] | Failed:
        """Look at a photo, in a thread."""
        self._metrics.steps.labels("wait").observe(time.perf_counter() - asked_at)

        def read(input_size: tuple[int, int]) -> Photo:
            with self._metrics.step("read"):
                return read_photo(photo.content, input_size, self._limits.photo_pixels)

        thresholds = BoxThresholds(model.detector.description.thresholds)
        with self._metrics.step("look"):
            result = look(Picture(photo.name, read), model.detector, thresholds, make)
        self._metrics.photos.labels("seen" if isinstance(result, Seen) else "failed").inc()
        return result

    def close(self) -> None:
        """End the threads, which have nothing to do any more."""
        self._executor.shutdown(cancel_futures=True)
