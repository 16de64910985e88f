"""check: what the data are like, and what is wrong with them."""

import pandas as pd

from dminity.core.files import replacing_file, write_json
from dminity.core.stage import INDEX, MERGED, METRICS, RAW, run
from dminity.data import naming, tables
from dminity.data.checking.fingerprints import Fingerprint, fingerprints
from dminity.data.checking.report import Report, report
from dminity.data.raw_photos import raw_photos
from dminity.params import load_params


def main() -> None:
    """Write the report's figures and its table of classes; faults are for `dminity check`."""
    found = examine()
    with replacing_file(METRICS / "plots" / "classes.csv") as path:
        found.classes.to_csv(path, index=False)
    write_json(found.figures, METRICS / "check.json")


def examine() -> Report:
    """Report on the tables and on every photo on disk."""
    params = load_params()
    images = tables.read(MERGED / "images.parquet", tables.IMAGES)
    classes = tables.read_classes(MERGED / "classes.txt")
    published = tables.read(INDEX / "boxes.parquet", tables.BOXES)
    looks = pd.DataFrame(fingerprints(raw_photos(RAW, images)), columns=Fingerprint._fields)
    return report(
        naming.named(published, classes, params.hierarchy),
        pd.concat([images, looks], axis=1),
        tables.read(MERGED / "boxes.parquet", tables.MERGED_BOXES),
        classes,
        params.image_size,
        params.check.near_bits,
    )


if __name__ == "__main__":
    run(main)
