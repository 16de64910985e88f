"""What is in the photos of a split as a table, kept beside what was found in them.

One row per box, and one without a label for a photo that has none; corners are `normalized` (0-1 of
the upright photo). With `detection_table` it is all that a comparison of two experiments reads.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from dminity.data.tables import CORNERS
from dminity.detection.detections import GroundTruth

SCHEMA = pa.schema(
    [("image_id", pa.string()), ("width", pa.int32()), ("height", pa.int32())]
    + [("label", pa.string())]
    + [(side, pa.float64()) for side in CORNERS]
    + [("ignored", pa.bool_())]
)


def to_table(
    image_ids: Sequence[str], truths: Sequence[GroundTruth], classes: tuple[str, ...]
) -> pd.DataFrame:
    """What is in each photo, by names."""
    rows: list[dict[str, object]] = []
    for image_id, truth in zip(image_ids, truths, strict=True):
        photo = {"image_id": image_id, "width": truth.width, "height": truth.height}
        normalized = truth.xyxy_pixels / ((truth.width, truth.height) * 2)
        rows += [
            photo
            | {"label": classes[class_id], "ignored": bool(ignored)}
            | dict(zip(CORNERS, corners, strict=True))
            for class_id, ignored, corners in zip(
                truth.class_ids, truth.ignored, normalized.tolist(), strict=True
            )
        ] or [photo]
    return pd.DataFrame(rows, columns=SCHEMA.names)


def from_table(
    table: pd.DataFrame, image_ids: Sequence[str], classes: tuple[str, ...]
) -> list[GroundTruth]:
    """What is in some of the photos, in their order; boxes of other classes are left out."""
    places = {name: place for place, name in enumerate(classes)}
    photos = dict(list(table.groupby("image_id")))
    return [_of_photo(photos[image_id], places) for image_id in image_ids]


def _of_photo(rows: pd.DataFrame, places: dict[str, int]) -> GroundTruth:
    """What is in the photo of some rows, of the classes at some places."""
    known = rows[rows["label"].isin(places)]
    width, height = int(rows["width"].iloc[0]), int(rows["height"].iloc[0])
    return GroundTruth(
        xyxy_pixels=known[CORNERS].to_numpy(float) * ((width, height) * 2),
        class_ids=np.array([places[name] for name in known["label"]], np.int64),
        ignored=known["ignored"].to_numpy(bool),
        height=height,
        width=width,
    )
