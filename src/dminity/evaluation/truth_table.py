"""What is in the photos of a split as a table, kept beside what was found in them.

One row per box, and one without a label for a photo that has none; corners are `normalized` (0-1 of
the upright photo). With `detection_table` it is all that a comparison of two experiments reads.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from dminity.core.hierarchy import with_ancestors
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
    """What is in some of the photos, in their order.

    Boxes of other classes are left out, but for those that are a kind of one of `classes`: an
    ignored box of that one. Who calls a sofa bed a couch is not wrong where only couches are asked
    for either.
    """
    sizes = table.drop_duplicates("image_id").set_index("image_id")[["width", "height"]]
    widths_and_heights = sizes.loc[list(image_ids)].to_numpy(int).tolist()
    known = _called(table, classes)
    rows = known.groupby("image_id").indices
    places = {name: place for place, name in enumerate(classes)}
    normalized = known[CORNERS].to_numpy(float)
    class_ids = np.array([places[name] for name in known["label"]], np.int64)
    ignored = known["ignored"].to_numpy(bool)
    truths = []
    for image_id, (width, height) in zip(image_ids, widths_and_heights, strict=True):
        own = rows.get(image_id, np.empty(0, np.intp))
        pixels = normalized[own] * ((width, height) * 2)
        truths.append(GroundTruth(pixels, class_ids[own], ignored[own], height, width))
    return truths


def _called(table: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """The rows of `classes`, and those of kinds of them that are none, ignored, by their names."""
    names = {
        label: [label] if label in classes else [n for n in with_ancestors(label) if n in classes]
        for label in table["label"].dropna().unique()
    }
    called = table.assign(own=table["label"], label=table["label"].map(names)).explode("label")
    known = called[called["label"].isin(classes)]
    ignored = known["ignored"].astype(bool) | (known["label"] != known["own"])
    return known.assign(ignored=ignored)
