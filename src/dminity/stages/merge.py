"""merge: one table of images and one of boxes, of the chosen classes, checked and counted."""

from typing import Any

import pandas as pd

from dminity.core.amenities import buckets
from dminity.core.files import replacing_file, write_json
from dminity.core.stage import DATA, INDEX, MERGED, METRICS, PICKED, RAW, run
from dminity.data import tables
from dminity.data.merging import by_split, count, merge
from dminity.params import load_params

REJECTED = ["split", "image_id", "bucket", "reason", "attempts"]
# A photo that came and was left out later has no number of attempts.
COLUMN_TYPES: dict[str, Any] = {"split": str, "image_id": str, "reason": str, "attempts": "Int64"}


def main() -> None:
    """Join the photos that came with what is known of the chosen classes in them."""
    params = load_params()
    asked = pd.concat([tables.read(PICKED / f"{bucket}.parquet") for bucket in buckets()])
    missing = pd.concat([_read_missing(bucket) for bucket in buckets()])
    came = asked[~asked["image_id"].isin(missing["image_id"])]
    left_out = came["image_id"].isin(params.leave_out)
    merged = merge(
        tables.read(INDEX / "boxes.parquet"),
        tables.read(INDEX / "verified.parquet"),
        came[~left_out],
        params.classes,
        params.marked,
    )
    tables.write(merged.images, MERGED / "images.parquet", tables.IMAGES)
    tables.write(merged.boxes, MERGED / "boxes.parquet", tables.MERGED_BOXES)
    tables.write(merged.verified, MERGED / "verified.parquet", tables.VERIFIED)
    with replacing_file(MERGED / "classes.txt") as path:
        path.write_text("".join(f"{name}\n" for name in params.classes), encoding="utf-8")
    rejected = pd.concat(
        [
            missing,
            came[left_out].assign(reason="left out"),
            merged.no_box.assign(reason="no box left"),
        ]
    )[REJECTED].sort_values(["split", "image_id"])
    with replacing_file(DATA / "rejected.csv") as path:
        rejected.to_csv(path, index=False)
    figures = _account(asked, came, rejected) | count(merged, params.classes)
    write_json(figures, METRICS / "data.json")


def _read_missing(bucket: str) -> pd.DataFrame:
    """The photos of a bucket that cannot be had."""
    return pd.read_csv(RAW / bucket / "rejected.csv", dtype=COLUMN_TYPES).assign(bucket=bucket)


def _account(asked: pd.DataFrame, came: pd.DataFrame, rejected: pd.DataFrame) -> dict[str, Any]:
    """How many photos were asked for, came, and were rejected."""
    reasons = rejected["reason"].value_counts()
    return {
        "asked": by_split(asked),
        "came": by_split(came),
        "rejected": {str(reason): int(number) for reason, number in sorted(reasons.items())},
    }


if __name__ == "__main__":
    run(main)
