"""fetch: the photos of one bucket, as published."""

import shutil
import sys

from dminity import tables
from dminity.params import load
from dminity.photos.download import fetch_photos
from dminity.sources import open_source
from dminity.stages import INDEX, RAW, run


def main() -> None:
    """Fetch what is missing of the bucket named on the command line; remove what is not asked for.

    The bucket's `source.txt` says which source its photos are from: those of another are not kept.
    """
    bucket = sys.argv[1]
    params = load()
    source = open_source(params.source, params.openimages, params.demo, params.seed)
    images = tables.read(INDEX / f"images-{bucket}.parquet")
    folder = RAW / bucket
    mark = folder / "source.txt"
    if folder.exists() and not (mark.exists() and mark.read_text() == source.version):
        shutil.rmtree(folder)
    for split in tables.SPLITS:
        (folder / split).mkdir(parents=True, exist_ok=True)
    mark.write_text(source.version)
    fetch_photos(
        zip(images["split"], images["image_id"], strict=True),
        source.photo,
        folder,
        params.fetch.connections,
        params.fetch.attempts,
    )


if __name__ == "__main__":
    run(main)
