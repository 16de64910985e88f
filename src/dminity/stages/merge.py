"""merge: one table of images and one of boxes, of the chosen classes, checked and counted."""

from typing import Any

import pandas as pd

from dminity.core.amenities import buckets
from dminity.core.errors import DminityError, some
from dminity.core.files import replacing_file, write_json
from dminity.core.progress import note
from dminity.core.stage import DATA, INDEX, MERGED, METRICS, PICKED, RAW, run
from dminity.data import tables
from dminity.data.merging import by_split, count, merge
from dminity.params import load_params

REJECTED = ["split", "image_id", "bucket", "reason", "attempts"]
# A photo that came and was left out later has no number of attempts.
COLUMN_TYPES: dict[str, Any] = {"split": str, "image_id": str, "reason": str, "attempts": "Int64"}
# So many ids are named in a line.
SHOWN = 3


class BadList(DminityError):
    """A bucket's list of the photos that cannot be had is not there, or is none."""


def main() -> None:
    """Join the photos that came with what is known of the chosen classes in them."""
    params = load_params()
    asked = pd.concat(
        [tables.read(PICKED / f"{bucket}.parquet", tables.IMAGES) for bucket in buckets()]
    )
    missing = pd.concat([read_missing(bucket) for bucket in buckets()])
    came = asked[~asked["image_id"].isin(missing["image_id"])]
    unmatched = sorted(set(params.leave_out) - set(asked["image_id"]))
    left_out = came["image_id"].isin(params.leave_out)
    merged = merge(
        tables.read(INDEX / "boxes.parquet", tables.BOXES),
        tables.read(INDEX / "verified.parquet", tables.VERIFIED),
        came[~left_out],
        params.classes,
        params.marked,
        params.hierarchy,
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
            merged.no_box,
        ]
    )[REJECTED].sort_values(["split", "image_id"])
    with replacing_file(DATA / "rejected.csv") as path:
        rejected.to_csv(path, index=False)
    account = _account(asked, came, rejected) | {"leave_out_unmatched": len(unmatched)}
    write_json(account | count(merged, params.classes), METRICS / "data.json")
    say_unmatched(unmatched)


def say_unmatched(image_ids: list[str]) -> None:
    """Say which ids of `leave_out` leave out no photo: a slip would keep the photo that was meant.

    image_ids: those, if any.
    """
    if image_ids:
        note(
            f"ids in leave_out that match none of the photos asked for: {len(image_ids)} "
            f"({some(image_ids, SHOWN)}); correct them, or remove them if no limit, seed or source "
            "needs them"
        )


def read_missing(bucket: str) -> pd.DataFrame:
    """The photos of a bucket that cannot be had.

    Raises:
        BadList: naming the file, if it is not the one that fetch writes.
        OSError: if it is there and cannot be read.
    """
    path = RAW / bucket / "rejected.csv"
    try:
        found = pd.read_csv(path, dtype=COLUMN_TYPES)
    except (FileNotFoundError, ValueError) as error:
        raise BadList(f"{path} is missing or damaged; {_again(bucket)}") from error
    if list(found.columns) != list(COLUMN_TYPES):
        raise BadList(f"{path} has other columns than fetch writes; {_again(bucket)}")
    return found.assign(bucket=bucket)


def _again(bucket: str) -> str:
    """How to get a bucket's list again."""
    return f"run `dvc repro -f fetch@{bucket}`: the photos are kept"


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
