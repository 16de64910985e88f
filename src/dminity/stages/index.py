"""index: every box of the 30 amenities, and the classes that people looked for in each photo."""

import shutil

import pandas as pd

from dminity.core.amenities import NAMES
from dminity.core.errors import DminityError
from dminity.core.files import exclusive, replacing_file
from dminity.core.memory import keep_freed_memory
from dminity.core.splits import SPLITS
from dminity.core.stage import INDEX, run
from dminity.data import naming, tables
from dminity.params import load_params
from dminity.sources.registry import open_source
from dminity.sources.source import Source, SourceFile

# What a run that was killed had read; the next one resumes there.
WORK = INDEX / ".published.unfinished"


class NoBoxes(DminityError):
    """A class has no box in the source."""


def main() -> None:
    """Read the source once, for all classes and buckets, and write what it says as tables."""
    keep_freed_memory()
    params = load_params()
    source = open_source(params.source, params.openimages, params.demo)
    with exclusive(INDEX):
        parts = [source.annotations(split, WORK) for split in SPLITS]
        published = pd.concat([part.boxes for part in parts], ignore_index=True)
        said = pd.concat([part.verified for part in parts], ignore_index=True)
        boxes = naming.named(published, NAMES, params.hierarchy)
        verified = naming.answers(said, params.hierarchy)
        refuse_empty_classes(boxes, source)
        by_photo = ["split", "image_id", "label"]
        boxes = boxes.sort_values([*by_photo, *tables.CORNERS])
        tables.write(boxes, INDEX / "boxes.parquet", tables.BOXES)
        verified = verified.sort_values([*by_photo, "present"])
        tables.write(verified, INDEX / "verified.parquet", tables.VERIFIED)
        files = [file for part in parts for file in part.files]
        with replacing_file(INDEX / "files.csv") as path:
            pd.DataFrame(files, columns=SourceFile._fields).to_csv(path, index=False)
        shutil.rmtree(WORK, ignore_errors=True)


def refuse_empty_classes(boxes: pd.DataFrame, source: Source) -> None:
    """Refuse classes without a box; of a partial source, print which they are.

    Raises:
        NoBoxes: naming the classes.
    """
    empty = [name for name in NAMES if name not in set(boxes["label"])]
    if empty and not source.partial:
        raise NoBoxes(
            f"no box at all of: {', '.join(empty)}; if the source holds only a part of Open "
            "Images, set openimages.partial to true"
        )
    if empty:
        print(f"no box of: {', '.join(empty)}")


if __name__ == "__main__":
    run(main)
