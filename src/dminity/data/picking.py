"""Which photos are fetched: a few per class and split, the same ones on every machine."""

import hashlib

import pandas as pd

from dminity.core.amenities import buckets


def pick(boxes: pd.DataFrame, limit_per_class: int, seed: int) -> pd.DataFrame:
    """The images that each class wants, as a table of `tables.IMAGES`.

    Of the images with a box of a class, a class takes the `limit_per_class` (0: all) of lowest
    rank in each split. The rank is a hash of seed and image id, so a larger limit is a superset of
    a smaller one, and neither the order of the CSV nor what is on disk plays a part. An image is
    fetched in the bucket of the class that wants it first as the limit grows: with a larger limit
    it is still there.
    """
    wanted = boxes[["image_id", "split", "label"]].drop_duplicates()
    wanted = wanted.assign(rank=[_rank(seed, image_id) for image_id in wanted["image_id"]])
    wanted = wanted.sort_values(["rank", "image_id"])
    wanted["position"] = wanted.groupby(["split", "label"], sort=False).cumcount()
    bucket_of = {label: bucket for bucket, labels in buckets().items() for label in labels}
    wanted["bucket"] = wanted["label"].map(bucket_of)
    wanted = wanted.sort_values(["position", "bucket"])
    if limit_per_class:
        wanted = wanted[wanted["position"] < limit_per_class]
    return (
        wanted.groupby(["split", "image_id"], sort=True)
        .agg(bucket=("bucket", "first"), wanted_by=("label", sorted))
        .reset_index()
    )


def _rank(seed: int, image_id: str) -> int:
    """Where an image stands in the order in which it is picked: 64 evenly spread bits."""
    digest = hashlib.blake2b(f"{seed}/{image_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
