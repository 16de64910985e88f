"""Fetching photos into a folder: many in flight, each one whole and decodable or not there."""

import io
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from dminity.errors import DminityError
from dminity.files import replacing_file

FIRST_PAUSE_S = 0.25


class PhotoNotFetched(DminityError):
    """A photo cannot be had, or what came is no photo."""


def fetch_photos(
    photos: Iterable[tuple[str, str]],
    read: Callable[[str, str], bytes],
    folder: Path,
    connections: int,
    attempts: int,
) -> None:
    """Fetch each (split, image id) to `folder/split/id.jpg`; a good photo already there stays.

    Photos that nobody asks for are removed, so that the folder depends on `photos` alone.

    Raises:
        PhotoNotFetched: after all photos were tried, if any is missing. The others are kept.
    """
    paths = {folder / split / f"{image_id}.jpg": (split, image_id) for split, image_id in photos}
    for path in folder.glob("*/*"):
        if path not in paths:
            path.unlink()
    with ThreadPoolExecutor(connections) as pool:
        tasks = [pool.submit(fetch, path, read, *key, attempts) for path, key in paths.items()]
        done = tqdm(as_completed(tasks), folder.name, len(tasks), unit="photo")
        faults = [fault for task in done if (fault := task.result())]
    if faults:
        raise PhotoNotFetched(
            f"{len(faults)} of {len(paths)} photos are missing; the first: {min(faults)}; the "
            "others are kept, so run it again, or check openimages.images"
        )


def fetch(
    path: Path, read: Callable[[str, str], bytes], split: str, image_id: str, attempts: int
) -> str:
    """Fetch one photo unless a good one is there; return what went wrong, or nothing."""
    if path.exists() and not fault_of(path.read_bytes()):
        return ""
    fault = ""
    for attempt in range(attempts):
        if attempt:
            time.sleep(FIRST_PAUSE_S * 2 ** (attempt - 1))
        try:
            content = read(split, image_id)
        except FileNotFoundError as error:
            return f"{split}/{image_id}: not found: {error}"
        except OSError as error:
            fault = f"{type(error).__name__}: {error}"
            continue
        fault = fault_of(content)
        if not fault:
            with replacing_file(path) as unfinished:
                unfinished.write_bytes(content)
            return ""
    return f"{split}/{image_id}: {fault} ({attempts} attempts)"


def fault_of(content: bytes) -> str:
    """Why these bytes are no photo, or nothing if every pixel decodes."""
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG", "PNG"]) as photo:
            photo.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return f"no photo, or cut off: {error}"
    return ""
