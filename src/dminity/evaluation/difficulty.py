"""How good a detector is on small and on large things, in empty and in crowded photos.

What found what is decided once, for all boxes; a group then counts its own boxes, and of false
alarms those of its sizes or photos. (COCO's AP by size matches anew for each size.) Recall is the
share of all boxes of the group, AP50 the mean of the classes that it has: the recall of two groups
compares better, as their classes differ.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dminity.detection.detections import SHOWN_SCORE
from dminity.evaluation.errors import Errors
from dminity.evaluation.matches import average_precision, mean_of_known

# Sides of a square of a box's area, in pixels: COCO's limits, and one more.
SIDES = ((0, 32), (32, 96), (96, 192), (192, None))
# Boxes in a photo, the last included.
CROWDS = ((1, 1), (2, 3), (4, 6), (7, 10), (11, None))
Chosen = NDArray[np.bool_]


def by_size(found: Errors) -> pd.DataFrame:
    """One row per range of sizes that has a box, as `_row` has it."""
    sides, alarms = np.sqrt(found.boxes.areas()), np.sqrt(found.found.areas())
    rows = []
    for low, high in SIDES:
        end = np.inf if high is None else high
        name = f"{low} px or more" if high is None else f"{low} to {high} px"
        chosen = (sides >= low) & (sides < end)
        rows.append(_row(found, name, chosen, (alarms >= low) & (alarms < end)))
    return _table(rows)


def by_crowding(found: Errors) -> pd.DataFrame:
    """One row per number of boxes in a photo, ignored ones aside, as `_row` has it."""
    boxes = found.matches.positives.sum(axis=1)
    rows = []
    for low, high in CROWDS:
        name = f"{low} or more" if high is None else f"{low} to {high}" if low < high else f"{low}"
        photos = (boxes >= low) & (boxes <= (np.inf if high is None else high))
        rows.append(_row(found, name, photos[found.boxes.photos], photos[found.found.photos]))
    return _table(rows)


def by_flags(found: Errors, flags: dict[str, Chosen]) -> pd.DataFrame:
    """One row per flag that a box has, and one for those without any; no AP50.

    False alarms have no flags.

    Args:
        found: what was found.
        flags: by name, which boxes have it: [G] each.
    """
    plain = ~np.any(list(flags.values()), axis=0)
    every = np.ones(len(found.found.scores), np.bool_)
    named = {**flags, "neither": plain}
    rows = [_row(found, name, chosen, every) for name, chosen in named.items()]
    return _table(rows).drop(columns="AP50")


def _row(found: Errors, name: str, boxes: Chosen, alarms: Chosen) -> dict[str, object]:
    """What is said of a group.

    `group`; `photos` and `boxes`, how many; `recall`, from SHOWN_SCORE on; `AP50`.
    """
    boxes = boxes & ~found.boxes.special
    matches = found.matches
    right = matches.right[:1] & np.append(boxes, False)[found.meant]
    wrong = matches.listed[:1] & ~matches.right[:1] & alarms
    positives = found.boxes.counted(boxes, *matches.positives.shape)
    own = replace(matches, right=right, listed=right | wrong, positives=positives)
    shown = found.found_with()[boxes] >= SHOWN_SCORE
    return {
        "group": name,
        "photos": len(np.unique(found.boxes.photos[boxes])),
        "boxes": len(shown),
        "recall": shown.mean() if len(shown) else np.nan,
        "AP50": mean_of_known(average_precision(own)[0, :, 0]),
    }


def _table(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """The groups that have a box."""
    columns = ["group", "photos", "boxes", "recall", "AP50"]
    return pd.DataFrame([row for row in rows if row["boxes"]], columns=columns)
