"""Fetching 2,000 photos from an S3 server on this machine, against FiftyOne's own downloader.

    make benchmarks

FiftyOne's is a thread pool of boto3 clients, unsigned, with as many threads; it checks nothing and
ends at the first photo that is missing. Ours decodes each photo. They take turns, and server and
clients share the processor. At the end, a server that fails one request in five.
"""

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from dminity.data.fetching.download import fetch_photos
from dminity.data.fetching.settings import FetchSettings
from dminity.remote.reading import open_folder
from dminity.sources.rooms import scene
from tests.helpers.faulty_server import answer, faulty_server
from tests.helpers.s3_server import S3Server, s3_server

PHOTOS = 2000
ROUNDS = 3
BUCKET = "photos"
SETTINGS = FetchSettings(connections=16, attempts=8, min_side=64, max_missing=0.0)
IDS = [f"{number:016x}" for number in range(PHOTOS)]


def main() -> None:
    """Fill the server, let the two take turns, print a table."""
    with tempfile.TemporaryDirectory() as temporary, s3_server(Path(temporary) / "s3") as s3:
        folder = Path(temporary)
        write_photos(folder / "published" / "train")
        s3.files().mkdir(BUCKET)
        s3.files().put(f"{folder}/published/", f"{BUCKET}/", recursive=True)
        os.environ["AWS_ENDPOINT_URL_S3"] = s3.endpoint
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
        seconds: dict[str, list[float]] = {"FiftyOne": [], "dminity": []}
        for _ in range(ROUNDS):
            seconds["FiftyOne"].append(timed(fiftyone, s3, folder / "theirs"))
            seconds["dminity"].append(timed(dminity, s3, folder / "ours"))
        ratio = median(a / b for a, b in zip(*seconds.values(), strict=True))
        for name, values in seconds.items():
            print(f"{name:10}{PHOTOS / median(values):7.0f} photos a second")
        print(f"dminity is {ratio:.2f} x as fast, and has decoded every photo")
        print(f"with a fifth of the requests failing: {with_faults(folder)} of {PHOTOS} photos")


def write_photos(folder: Path) -> None:
    """Photos of some 250 KB, all different: one room with another grain each time."""
    folder.mkdir(parents=True)
    room = cv2.resize(cv2.cvtColor(scene.render(IDS[0]), cv2.COLOR_RGB2BGR), (1024, 768))
    random = np.random.default_rng(1)
    for image_id in IDS:
        grain = random.integers(0, 16, room.shape, np.uint8)
        cv2.imwrite(str(folder / f"{image_id}.jpg"), cv2.add(room, grain))


def timed(fetch: Callable[[S3Server, Path], None], s3: S3Server, folder: Path) -> float:
    """Seconds to fill an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "train").mkdir(parents=True)
    start = time.perf_counter()
    fetch(s3, folder)
    seconds = time.perf_counter() - start
    assert len(list(folder.glob("train/*.jpg"))) == PHOTOS
    return seconds


def fiftyone(_: S3Server, folder: Path) -> None:
    """As FiftyOne's zoo does it."""
    from fiftyone.utils.aws import download_public_s3_files

    logging.disable()
    paths = {f"s3://{BUCKET}/train/{name}.jpg": str(folder / f"train/{name}.jpg") for name in IDS}
    download_public_s3_files(paths, num_workers=SETTINGS.connections)


def dminity(s3: S3Server, folder: Path) -> None:
    """As the stage does it."""
    fetch(f"s3://{BUCKET}", s3.endpoint, folder)


def fetch(address: str, endpoint: str, folder: Path) -> None:
    """Fetch all photos."""
    source = open_folder(address, endpoint)
    photos = [("train", image_id) for image_id in IDS]
    read = lambda split, image_id: source.read(f"{split}/{image_id}.jpg")  # noqa: E731
    assert fetch_photos(photos, read, folder, SETTINGS) == []


def with_faults(folder: Path) -> int:
    """How many photos come if every fifth request fails."""
    target = folder / "faulty"
    (target / "train").mkdir(parents=True)
    with faulty_server(folder / "published") as server:
        server.every_fifth = answer(503)
        fetch(server.address, "", target)
    published = folder / "published/train"
    return sum(
        path.read_bytes() == (published / path.name).read_bytes()
        for path in target.glob("train/*.jpg")
    )


if __name__ == "__main__":
    main()
