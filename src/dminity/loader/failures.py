"""Faults that loader processes find, handed to the process that trains as they are.

PyTorch would hand over a page of text under the name of the fault, so that what names the file and
the mend is lost in it.
"""

import pickle
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from torch.utils.data import Dataset, default_collate, get_worker_info

from dminity.core.errors import DminityError


class NoSharedMemory(DminityError):
    """The batches of loader processes do not fit into shared memory."""

    def __init__(self) -> None:
        super().__init__(
            "shared memory is too small for the batches of loader processes: set train.workers=0, "
            "or enlarge /dev/shm (docker run --shm-size=1g)"
        )

    def __reduce__(self) -> tuple[type["NoSharedMemory"], tuple[()]]:
        return type(self), ()


class LoaderEnded(DminityError):
    """A loader process cannot start, or was ended."""


class Failure(NamedTuple):
    """What stands in place of a batch that could not be made."""

    error: Exception


class Guarded(Dataset[Any]):
    """A dataset whose items are failures where it raises."""

    def __init__(self, items: Dataset[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)  # type: ignore[arg-type]

    def __getitem__(self, index: Any) -> Any:
        try:
            return self.items[index]
        except Exception as error:
            return Failure(_portable(error))


def batched(items: list[Any]) -> Any:
    """Items as a batch, or the first failure among them."""
    for item in items:
        if isinstance(item, Failure):
            return item
    try:
        batch = default_collate(items)
        if get_worker_info() is not None:
            # Here, and not in the thread that sends it, of which no error reaches anyone.
            for tensor in batch:
                tensor.share_memory_()
    except Exception as error:
        no_room = isinstance(error, RuntimeError) and "shared memory" in str(error)
        return Failure(NoSharedMemory() if no_room else _portable(error))
    return batch


def _portable(error: Exception) -> Exception:
    """The same error, fit to be sent to another process, with its traceback as a note."""
    trace = traceback.format_exc()
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - what was written here is read here
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(trace)
    return error


@contextmanager
def killed_loaders_named() -> Iterator[None]:
    """Say that a loader process was killed, whatever this one was doing when PyTorch told it so.

    Raises:
        NoSharedMemory, LoaderEnded.
    """
    try:
        yield
    except RuntimeError as error:
        said = str(error)
        if "DataLoader worker" not in said:
            raise
        if "Bus error" in said:
            raise NoSharedMemory from error
        raise LoaderEnded(
            "a loader process was killed, most often as memory ran out; lower train.workers, "
            "train.cache_gb or train.batch_size"
        ) from error
