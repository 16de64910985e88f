"""Sums and lists over all processes of a training; with one process, its own."""

import ctypes
import signal
import sys
from typing import TypeVar

import torch
from torch import distributed

from dminity.core.errors import DminityError

Item = TypeVar("Item")
PR_SET_PDEATHSIG = 1  # of Linux' sys/prctl.h


class UnevenBatch(DminityError):
    """Something cannot be shared out equally to the processes."""


def end_with_parent() -> None:
    """Let this process end when the one that started it does, however that comes about.

    It would wait for the other, on a GPU for up to half an hour, and keep its memory.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def total(numbers: torch.Tensor) -> torch.Tensor:
    """The sum over all processes of a tensor that is of the same shape in each."""
    if distributed.is_initialized():
        numbers = numbers.clone()
        distributed.all_reduce(numbers)
    return numbers


def gathered(items: dict[int, Item]) -> dict[int, Item]:
    """The union over all processes of what each holds."""
    if not distributed.is_initialized():
        return items
    everyones: list[dict[int, Item]] = [{} for _ in range(distributed.get_world_size())]
    distributed.all_gather_object(everyones, items)
    return {key: item for theirs in everyones for key, item in theirs.items()}


def check_share(name: str, size: int, processes: int) -> None:
    """Refuse a batch that does not divide by the number of processes.

    Raises:
        UnevenBatch: naming it by `name`.
    """
    if size % processes:
        raise UnevenBatch(
            f"{name} is {size}, which {processes} processes cannot share equally; make it a "
            f"multiple of {processes}"
        )
