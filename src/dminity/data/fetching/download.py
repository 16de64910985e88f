"""Fetching photos into a folder: many in flight, each one whole and decodable or not there."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from typing import NamedTuple

from dminity.core.errors import DminityError
from dminity.core.files import remove
from dminity.core.progress import Progress, note, waiting_for
from dminity.data.fetching.settings import FetchSettings
from dminity.data.fetching.verification import BadPhoto, verify
from dminity.data.raw_photos import raw_photo
from dminity.remote.faults import Unavailable
from dminity.remote.retrying import retry


class PhotosMissing(DminityError):
    """More photos cannot be had than may be missing."""


class Rejected(NamedTuple):
    """A photo that is not there, why, and how often it was asked for."""

    split: str
    image_id: str
    reason: str
    attempts: int


def fetch_photos(
    photos: Iterable[tuple[str, str]],
    read: Callable[[str, str], bytes],
    folder: Path,
    settings: FetchSettings,
) -> list[Rejected]:
    """Fetch each (split, image id) to `folder/split/id.jpg`; a good photo already there stays.

    Photos that nobody asks for are removed, so that the folder depends on `photos` alone. Returns
    those that cannot be had, in order.

    Raises:
        PhotosMissing: as soon as more than `max_missing` of all are. What was fetched is kept, as
            it is if the disk is full.
    """
    wanted = {raw_photo(folder, *photo): photo for photo in photos}
    others = [path for path in folder.glob("*/*") if path not in wanted or path.is_dir()]
    remove_aloud(others, folder, "files that are not asked for")
    given_up = Event()
    rejected: list[Rejected] = []
    # An error, too, waits for the photos that are on their way.
    waited_for = waiting_for(f"the photos of {folder.name}")
    with waited_for as waiting, ThreadPoolExecutor(settings.connections) as pool:
        tasks = [
            pool.submit(_fetch, path, read, *key, settings, given_up)
            for path, key in wanted.items()
        ]
        try:
            for task in Progress(folder.name, as_completed(tasks), len(tasks)):
                waiting.beat()
                if fault := task.result():
                    rejected.append(fault)
                    _refuse_too_many(rejected, len(wanted), settings.max_missing)
        except BaseException:
            given_up.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return sorted(rejected)


def remove_aloud(paths: list[Path], folder: Path, what: str) -> None:
    """Remove files, and folders with all that is in them, from a bucket's folder.

    It is said first how many files they are, `what` they are, and how to get them back; but for
    files that a stage which was interrupted left unfinished.
    """
    folders = [path for path in paths if path.is_dir() and not path.is_symlink()]
    files = sum(
        not path.match(".*.unfinished") and (path.is_symlink() or not path.is_dir())
        for path in [*paths, *(path for place in folders for path in place.rglob("*"))]
    )
    if files:
        note(
            f"{folder}: removing {what}: {files}; where DVC recorded them, the former params.yaml "
            "and dvc.lock, then `dvc checkout`, bring them back"
        )
    for path in paths:
        remove(path)


def _fetch(
    path: Path,
    read: Callable[[str, str], bytes],
    split: str,
    image_id: str,
    settings: FetchSettings,
    given_up: Event,
) -> Rejected | None:
    """Fetch one photo unless a good one is there; say why if it cannot be had."""

    def read_photo() -> bytes:
        content = read(split, image_id)
        verify(content, settings.min_side)
        return content

    if _is_good(path, settings.min_side):
        return None
    try:
        content = retry(read_photo, settings.attempts, given_up)
    except Unavailable as error:
        return Rejected(split, image_id, error.reason, error.attempts)
    _write(content, path)
    return None


def _is_good(path: Path, min_side: int) -> bool:
    """Whether a photo is on disk and decodes."""
    try:
        verify(path.read_bytes(), min_side)
    except (FileNotFoundError, BadPhoto):
        return False
    return True


def _write(content: bytes, path: Path) -> None:
    """Write a photo, whole or not at all.

    It does not wait for the disk: what a loss of power leaves of it is found by its decoding.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _refuse_too_many(rejected: list[Rejected], asked: int, max_missing: float) -> None:
    """Raise if more are missing than the share that may be."""
    if len(rejected) > max_missing * asked:
        first = min(rejected)
        reasons = Counter(photo.reason for photo in rejected)
        said = ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
        raise PhotosMissing(
            f"{len(rejected)} of {asked} photos are missing so far ({said}), as "
            f"{first.split}/{first.image_id}; the others are kept: run it again, check "
            "openimages.images, or raise fetch.max_missing"
        )
