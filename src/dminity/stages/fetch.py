"""fetch: the photos of one bucket, as published."""

import sys
from pathlib import Path

import pandas as pd

from dminity.core.amenities import buckets
from dminity.core.errors import DminityError
from dminity.core.files import exclusive, replacing_file
from dminity.core.splits import SPLITS
from dminity.core.stage import PICKED, RAW, run
from dminity.data import tables
from dminity.data.fetching.download import Rejected, fetch_photos, remove_aloud
from dminity.params import load_params
from dminity.sources.registry import open_source

# What lies in a bucket's folder, beside a folder for each split.
MARK, REJECTED = "source.txt", "rejected.csv"


class UnknownBucket(DminityError):
    """The command line names no bucket."""


def main() -> None:
    """Fetch what is missing of the bucket named on the command line; remove what is not asked for.

    The bucket's `source.txt` says which source its photos are from: those of another are not kept.
    Its `rejected.csv` says which photos are missing.
    """
    bucket = named_bucket(sys.argv[1:])
    params = load_params()
    source = open_source(params.source, params.openimages, params.demo)
    settings = params.fetch
    if not source.may_recover:
        settings = settings.model_copy(update={"attempts": 1})
    images = tables.read(PICKED / f"{bucket}.parquet", tables.IMAGES)
    folder = RAW / bucket
    with exclusive(folder):
        prepare(folder, source.version)
        photos = zip(images["split"], images["image_id"], strict=True)
        rejected = fetch_photos(photos, source.photo, folder, settings)
        with replacing_file(folder / REJECTED) as path:
            pd.DataFrame(rejected, columns=Rejected._fields).to_csv(path, index=False)


def named_bucket(arguments: list[str]) -> str:
    """The bucket that the command line names.

    Raises:
        UnknownBucket: naming those that there are.
    """
    if len(arguments) != 1 or arguments[0] not in buckets():
        raise UnknownBucket(
            f"fetch takes the name of one bucket, not {' '.join(arguments)!r}; name one of: "
            f"{', '.join(buckets())}"
        )
    return arguments[0]


def prepare(folder: Path, version: str) -> None:
    """Leave in a bucket's folder only what is from this version of the source, and its splits."""
    folder.resolve().mkdir(parents=True, exist_ok=True)
    mark = folder / MARK
    before = _read_mark(mark)
    same = before == version
    files, folders = (MARK, REJECTED), SPLITS if same else ()
    others = [
        path for path in folder.iterdir() if path.name not in (folders if path.is_dir() else files)
    ]
    kind = "that are not asked for" if same else f"of another source, {before[:40] or 'unknown'!r}"
    remove_aloud(others, folder, f"files {kind}")
    if not same:
        (folder / REJECTED).unlink(missing_ok=True)
    for split in SPLITS:
        (folder / split).mkdir(exist_ok=True)
    with replacing_file(mark) as path:
        path.write_text(version, encoding="utf-8")


def _read_mark(mark: Path) -> str:
    """Which source the photos in a folder are from; nothing if the mark does not tell.

    Raises:
        OSError: if the mark is there and cannot be read: the photos may be those that are wanted.
    """
    try:
        return mark.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError):
        return ""


if __name__ == "__main__":
    run(main)
