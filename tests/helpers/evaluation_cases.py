"""Photos for evaluations whose right figures are known by heart."""

import numpy as np

from dminity.detection.detections import Detections, GroundTruth

CLASSES = ("Bed", "Sink", "Towel")
Row = tuple[float, float, float, float, int]
BED: Row = (10, 10, 110, 110, 0)
SINK: Row = (200, 200, 300, 300, 1)


def truth(*rows: Row, ignored: tuple[int, ...] = ()) -> GroundTruth:
    """What is in a photo: left, top, right, bottom, class; `ignored` are positions."""
    table = np.array(rows, float).reshape(-1, 5)
    flags = np.array([position in ignored for position in range(len(rows))], np.bool_)
    return GroundTruth(table[:, :4], table[:, 4].astype(np.int64), flags, 480, 640)


def found(*rows: tuple[float, float, float, float, int, float]) -> Detections:
    """What was found: left, top, right, bottom, class, score."""
    table = np.array(rows, float).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 5], table[:, 4].astype(np.int64))
