"""Photos that are in two splits: what a detector has seen in training proves nothing in a test."""

from itertools import combinations

import numpy as np
import pandas as pd

from dminity.core.splits import SPLITS

# So many rows of comparisons are made at once: 35,000 photos take some 100 MB.
ROWS_AT_ONCE = 256


def duplicates(photos: pd.DataFrame, near_bits: int) -> pd.DataFrame:
    """Pairs of photos of different splits that are the same to the byte, or nearly to the eye.

    photos: a table of `image_id`, `split`, and `content` and `look` as in `Fingerprint`. Returns a
    row for each pair: `image_id`, `split`, `other_id`, `other_split`, in how many `bits` of 64
    their looks differ, at most `near_bits`, and `exact`: whether the files are the same.
    """
    in_split = [photos[photos["split"] == split] for split in SPLITS]
    return pd.concat(
        [_alike(one, other, near_bits) for one, other in combinations(in_split, 2)],
        ignore_index=True,
    )


def _alike(one: pd.DataFrame, other: pd.DataFrame, near_bits: int) -> pd.DataFrame:
    """The pairs of a photo of `one` and a photo of `other` whose looks differ little."""
    looks, other_looks = one["look"].to_numpy(np.uint64), other["look"].to_numpy(np.uint64)
    parts = []
    for start in range(0, len(looks), ROWS_AT_ONCE):
        bits = np.bitwise_count(looks[start : start + ROWS_AT_ONCE, None] ^ other_looks)
        rows, columns = np.nonzero(bits <= near_bits)
        parts.append(np.stack([rows + start, columns, bits[rows, columns]]))
    first, second, bits = np.concatenate([np.empty((3, 0), int), *parts], axis=1)
    left, right = one.iloc[first], other.iloc[second]
    return pd.DataFrame(
        {
            "image_id": left["image_id"].to_numpy(),
            "split": left["split"].to_numpy(),
            "other_id": right["image_id"].to_numpy(),
            "other_split": right["split"].to_numpy(),
            "bits": bits,
            "exact": left["content"].to_numpy() == right["content"].to_numpy(),
        }
    )
