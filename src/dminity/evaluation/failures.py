"""Where a detector fails, in tables."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dminity.evaluation import calibration, coco, difficulty
from dminity.evaluation.difficulty import Chosen
from dminity.evaluation.errors import Errors, error_table
from dminity.evaluation.matches import curves


@dataclass(frozen=True)
class Failures:
    """What is known of the failures of a detector.

    curves: `class`, `recall`, `precision` at IoU 0.50, of the classes that have a box. errors,
    calibration, size, crowding, flags: as the modules of these names have them.
    """

    curves: pd.DataFrame
    errors: pd.DataFrame
    calibration: pd.DataFrame
    size: pd.DataFrame
    crowding: pd.DataFrame
    flags: pd.DataFrame


def failures(found: Errors, classes: Sequence[str], flags: dict[str, Chosen]) -> Failures:
    """Count and measure.

    Args:
        found: what is wrong with every detection.
        classes: their names.
        flags: by name, which boxes have it: [G] each.
    """
    return Failures(
        _curves(found, classes),
        error_table(found),
        calibration.reliability(found.matches, found.found.scores),
        difficulty.by_size(found),
        difficulty.by_crowding(found),
        difficulty.by_flags(found, flags),
    )


def _curves(found: Errors, classes: Sequence[str]) -> pd.DataFrame:
    """The curve of each class that has a box, one below the other."""
    precision = curves(found.matches, coco.RECALLS)
    known = [place for place in range(len(classes)) if not np.isnan(precision[:, place]).any()]
    return pd.DataFrame(
        {
            "class": np.repeat([classes[place] for place in known], len(coco.RECALLS)),
            "recall": np.tile(coco.RECALLS, len(known)),
            "precision": precision[:, known].T.ravel(),
        }
    )
