"""Sums and lists over all processes of a training; with one process, its own."""

import sys
from typing import NoReturn, TypeVar

import torch
from torch import distributed

from dminity.core.errors import DminityError

Item = TypeVar("Item")
# The exit code of a process that leaves it to another one to say why a training ended.
SILENT = 75


class UnevenBatch(DminityError):
    """Something cannot be shared out equally to the processes."""


def total(numbers: torch.Tensor) -> torch.Tensor:
    """The sum over all processes of their tensors, which are of one shape."""
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


def raise_in_first(error: DminityError) -> NoReturn:
    """Raise what all processes find alike, in the first of them; the others end without a word."""
    if distributed.is_initialized() and distributed.get_rank():
        sys.exit(SILENT)
    raise error


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
