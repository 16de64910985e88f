"""Detections of many photos as a table: what `evaluate` keeps, so that nobody has to find again.

One row per detection, best first in each photo; corners are `normalized` (0-1 of the upright
photo), as those of boxes are, so that the table outlives another `image_size`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from dminity.data.tables import CORNERS
from dminity.detection.detections import Detections

SCHEMA = pa.schema(
    [("image_id", pa.string()), ("label", pa.string()), ("score", pa.float64())]
    + [(side, pa.float64()) for side in CORNERS]
)


def to_table(
    image_ids: Sequence[str],
    sizes: Sequence[tuple[int, int]],
    detections: Sequence[Detections],
    classes: tuple[str, ...],
) -> pd.DataFrame:
    """What was found in each photo, by names.

    Args:
        image_ids: the photos.
        sizes: their widths and heights in pixels.
        detections: what was found in them.
        classes: the names of the classes.
    """
    counts = [len(found.scores) for found in detections]
    pixels = np.concatenate([np.empty((0, 4)), *(found.xyxy_pixels for found in detections)])
    class_ids = np.concatenate([np.empty(0, int), *(found.class_ids for found in detections)])
    scores = np.concatenate([np.empty(0), *(found.scores for found in detections)])
    of_photo = np.repeat(np.array(sizes, float).reshape(-1, 2), counts, axis=0)
    table = pd.DataFrame(pixels / np.tile(of_photo, 2), columns=CORNERS)
    table["image_id"] = np.repeat(np.array(image_ids, object), counts)
    table["label"] = np.array(classes, object)[class_ids]
    table["score"] = scores
    return table.reindex(columns=SCHEMA.names)


def from_table(
    table: pd.DataFrame,
    image_ids: Sequence[str],
    sizes: Sequence[tuple[int, int]],
    classes: tuple[str, ...],
) -> list[Detections]:
    """What the table says of some photos and classes; of others it may know more.

    Args:
        table: as `to_table` makes it.
        image_ids: the photos, in any order.
        sizes: their widths and heights in pixels.
        classes: the names of the classes.
    """
    known = table[table["label"].isin(classes)]
    rows = known.groupby("image_id").indices
    places = {name: place for place, name in enumerate(classes)}
    normalized = known[CORNERS].to_numpy(float)
    scores = known["score"].to_numpy(float)
    class_ids = np.array([places[name] for name in known["label"]], np.int64)
    found = []
    for image_id, size in zip(image_ids, sizes, strict=True):
        own = rows.get(image_id, np.empty(0, np.intp))
        found.append(Detections(normalized[own] * (size * 2), scores[own], class_ids[own]))
    return found
