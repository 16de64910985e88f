"""fetch: the photos of one bucket, as published."""

import shutil
import sys

import pandas as pd

from dminity.core.files import exclusive, replacing_file
from dminity.core.splits import SPLITS
from dminity.core.stage import PICKED, RAW, run
from dminity.data import tables
from dminity.data.fetching.download import Rejected, fetch_photos
from dminity.params import load_params
from dminity.sources.registry import open_source


def main() -> None:
    """Fetch what is missing of the bucket named on the command line; remove what is not asked for.

    The bucket's `source.txt` says which source its photos are from: those of another are not kept.
    Its `rejected.csv` says which photos are missing.
    """
    bucket = sys.argv[1]
    params = load_params()
    source = open_source(params.source, params.openimages, params.demo)
    images = tables.read(PICKED / f"{bucket}.parquet")
    folder = RAW / bucket
    with exclusive(folder):
        mark = folder / "source.txt"
        if folder.exists() and not (mark.exists() and mark.read_text() == source.version):
            shutil.rmtree(folder)
        for split in SPLITS:
            (folder / split).mkdir(parents=True, exist_ok=True)
        mark.write_text(source.version)
        photos = zip(images["split"], images["image_id"], strict=True)
        rejected = fetch_photos(photos, source.photo, folder, params.fetch)
        with replacing_file(folder / "rejected.csv") as path:
            pd.DataFrame(rejected, columns=Rejected._fields).to_csv(path, index=False)


if __name__ == "__main__":
    run(main)
