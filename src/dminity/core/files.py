"""Outputs that appear whole or not at all.

A stage that fails half-way must leave the files of its last good run as they were, so everything
is written under a temporary name beside its place and renamed at the end. The DVC stages declare
their outputs `persist`, or DVC would delete them before the stage starts.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from dminity.core.errors import DminityError
from dminity.core.progress import waiting_for


class Occupied(DminityError):
    """Another process is at work on the same output."""


class InTheWay(DminityError):
    """A file is where a folder is to be, or the other way around."""


@contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Yield a path to write to; it becomes `path` when the block ends without an error.

    A link is replaced and not written through: it may lead into DVC's cache.

    Raises:
        InTheWay: if `path` is a folder.
    """
    if path.is_dir():
        raise InTheWay(f"{path} is a folder, where a file is to be; move it away")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        yield unfinished
        _flush_to_disk(unfinished)
        unfinished.replace(path)
        _flush_to_disk(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def write_json(content: Any, path: Path) -> None:
    """Write JSON for people and programs to read, whole or not at all."""
    with replacing_file(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=2) + "\n")


def _flush_to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, would survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it becomes `path` when the block ends without an error.

    Where `path` is a link to a folder, that folder is replaced, on its own disk.

    Raises:
        InTheWay: if `path` is a file, or where a disk is mounted.
    """
    if path.exists() and not path.is_dir():
        raise InTheWay(f"{path} is a file, where a folder is to be; move it away")
    folder = path.resolve()
    if folder.is_mount():
        raise InTheWay(
            f"{path} is where a disk is mounted, which cannot be replaced as a whole; make it a "
            "link to a folder on that disk"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    # What `folder` was; put back where the new one did not take its place.
    replaced = folder.with_name(f".{folder.name}.replaced.unfinished")
    _put_back(replaced, folder)
    remove(unfinished)
    remove(replaced)
    unfinished.mkdir()
    try:
        yield unfinished
        if folder.exists():
            # Removed last: where it cannot be moved, nothing is lost.
            folder.rename(replaced)
        unfinished.replace(folder)
        remove(replaced)
    finally:
        _put_back(replaced, folder)
        shutil.rmtree(unfinished, ignore_errors=True)


def _put_back(replaced: Path, folder: Path) -> None:
    """Give a folder back its name, if no other has taken it."""
    if replaced.exists() and not folder.exists():
        replaced.rename(folder)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it; nothing, if nothing is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_folder(path: Path) -> None:
    """Remove a folder at one stroke: no part of it is ever left under its name."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    # Of a removal that was interrupted.
    shutil.rmtree(unfinished, ignore_errors=True)
    path.rename(unfinished)
    shutil.rmtree(unfinished)


@contextmanager
def exclusive(path: Path, lock: Path | None = None, patience_s: float = 0.0) -> Iterator[None]:
    """Let no other process work on `path` until the block ends.

    Args:
        path: a file or folder.
        lock: the file that is locked for it; one beside it, unless it is given.
        patience_s: how long to wait for another process.

    Raises:
        Occupied: if one works on it all that time.
    """
    lock = lock or path.with_name(f".{path.name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock_file = FileLock(lock, timeout=patience_s)
    try:
        with waiting_for(f"the process that works on {path}"):
            lock_file.acquire()
    except Timeout:
        raise Occupied(
            f"another process is at work on {path}; wait for it to end, or end it"
        ) from None
    try:
        yield
    finally:
        lock_file.release()
