"""Whether a score is what it looks like: of detections of 0.8, are 8 in 10 right?

Right is what COCO's protocol says at IoU 0.50; detections on ignored boxes are left out. Intervals
are Wilson's, of 95 %: they hold for a handful of detections too, and take each for independent of
the others in its photo, so that they are a little narrow.
"""

import numpy as np
import pandas as pd

from dminity.evaluation.matches import Matches
from dminity.evaluation.overlaps import Floats

BINS = 10
# Of a normal distribution, between minus and plus this lie 95 %.
Z = 1.959964


def reliability(matches: Matches, scores: Floats) -> pd.DataFrame:
    """One row per tenth of scores that has a detection, from low to high.

    Args:
        matches: what COCO says of the detections.
        scores: theirs, in the same order: [D], 0-1.

    Returns:
        `from` and `to`, the ends of the tenth; `detections`, how many; `score`, their mean;
        `right`, the share of them that is, with its interval `right_low`, `right_high`.
    """
    listed, right = matches.listed[0], matches.right[0]
    tenths = np.minimum((scores * BINS).astype(int), BINS - 1)
    rows = []
    for tenth in range(BINS):
        chosen = listed & (tenths == tenth)
        if count := int(chosen.sum()):
            share = float(right[chosen].mean())
            ends = (tenth / BINS, (tenth + 1) / BINS)
            rows.append((*ends, count, scores[chosen].mean(), share, *wilson(share, count)))
    columns = ["from", "to", "detections", "score", "right", "right_low", "right_high"]
    return pd.DataFrame(rows, columns=columns)


def wilson(share: float, count: int) -> tuple[float, float]:
    """The interval of 95 % of a share that was seen in so many (Wilson, 1927).

    >>> [round(limit, 2) for limit in wilson(1.0, 3)]
    [0.44, 1.0]
    """
    middle = share + Z**2 / (2 * count)
    half = Z * np.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    scale = 1 + Z**2 / count
    return max(float((middle - half) / scale), 0.0), min(float((middle + half) / scale), 1.0)


def expected_error(table: pd.DataFrame) -> float:
    """How far scores and shares of right ones lie apart, in the mean over detections.

    Expected calibration error (Naeini et al., 2015). NaN of no detection.

    Args:
        table: rows of `reliability`.
    """
    if table.empty:
        return float("nan")
    distance = (table["right"] - table["score"]).abs()
    return float(np.average(distance, weights=table["detections"]))
