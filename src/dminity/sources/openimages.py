"""Open Images V7, or a mirror of it: CSV files of boxes, and photos by id.

Layout: https://storage.googleapis.com/openimages/web/download_v7.html. V7 has the boxes of V6 for
train and of V5 for the other splits.
"""

import csv
import io
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pa_csv

from dminity import tables
from dminity.addresses import Folder
from dminity.amenities import AMENITIES, NAME_OF_CODE
from dminity.errors import DminityError
from dminity.params import OpenImages as Addresses

CLASSES_CSV = "v5/class-descriptions-boxable.csv"
BOXES_CSV = {
    "train": "v6/oidv6-train-annotations-bbox.csv",
    "validation": "v5/validation-annotations-bbox.csv",
    "test": "v5/test-annotations-bbox.csv",
}
COLUMNS = {
    "ImageID": "image_id",
    "LabelName": "label",
    "XMin": "xmin",
    "XMax": "xmax",
    "YMin": "ymin",
    "YMax": "ymax",
    "IsOccluded": "is_occluded",
    "IsTruncated": "is_truncated",
    "IsGroupOf": "is_group_of",
    "IsDepiction": "is_depiction",
    "IsInside": "is_inside",
}
UNKNOWN_FLAG = -1


class BadAnnotations(DminityError):
    """A CSV file is missing, cut off, or not what Open Images publishes."""


class OpenImages:
    """The published set; see `sources.Source`."""

    version = "openimages"

    def __init__(self, addresses: Addresses) -> None:
        self.partial = addresses.partial
        self.annotations = Folder(addresses.annotations, addresses.s3_endpoint)
        self.images = Folder(addresses.images, addresses.s3_endpoint)

    def boxes(self, split: str) -> pd.DataFrame:
        """Every box of the 30 amenities in a split, by name.

        Raises:
            BadAnnotations: naming the file, and the image where one is at fault.
        """
        self.check_codes()
        name = BOXES_CSV[split]
        boxes = self.read_boxes(name).rename(columns=COLUMNS)
        boxes["label"] = boxes["label"].map(NAME_OF_CODE)
        boxes["split"] = split
        for flag in tables.FLAGS:
            boxes[flag] = (boxes[flag] == 1).astype("boolean").mask(boxes[flag] == UNKNOWN_FLAG)
        self.check_corners(boxes, name)
        return boxes[list(tables.BOXES.names)]

    def photo(self, split: str, image_id: str) -> bytes:
        """The published JPEG, at most 1024 pixels on its long side."""
        return self.images.read(f"{split}/{image_id}.jpg")

    def read_boxes(self, name: str) -> pd.DataFrame:
        """Stream a CSV of boxes, keeping the amenities' rows and the columns in use."""
        codes = pa.array(list(NAME_OF_CODE))
        convert = pa_csv.ConvertOptions(
            include_columns=list(COLUMNS),
            column_types={column: csv_type(column) for column in COLUMNS},
        )
        try:
            with self.annotations.open(name) as stream:
                lines = WholeLines(stream)
                reader = pa_csv.open_csv(lines, convert_options=convert)
                kept = [
                    batch.filter(pc.is_in(batch["LabelName"], value_set=codes)) for batch in reader
                ]
        except (OSError, pa.ArrowInvalid, pa.ArrowKeyError) as error:
            raise self.bad(name, " ".join(str(error).split())) from error
        if not lines.ended:
            raise self.bad(name, "the last line is cut off")
        boxes: pd.DataFrame = pa.Table.from_batches(kept, reader.schema).to_pandas()
        return boxes

    def check_codes(self) -> None:
        """Refuse to go on if Open Images knows one of our classes by another name or not at all."""
        try:
            content = self.annotations.read(CLASSES_CSV).decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise self.bad(CLASSES_CSV, str(error)) from error
        names = {row[0]: row[1] for row in csv.reader(io.StringIO(content)) if len(row) == 2}
        for amenity in AMENITIES:
            if names.get(amenity.code) != amenity.name:
                found = names.get(amenity.code, "not there")
                raise self.bad(CLASSES_CSV, f"{amenity.code} ({amenity.name}) is {found}")

    def check_corners(self, boxes: pd.DataFrame, name: str) -> None:
        """Refuse boxes outside the photo or with their corners swapped."""
        corners = boxes[tables.CORNERS]
        inside = corners.ge(0).all(axis=1) & corners.le(1).all(axis=1)
        ordered = (boxes["xmin"] <= boxes["xmax"]) & (boxes["ymin"] <= boxes["ymax"])
        for fault, good in (("outside 0-1", inside), ("reversed", ordered)):
            if not good.all():
                box = boxes[~good].iloc[0]
                where = ", ".join(f"{corner} {box[corner]:g}" for corner in tables.CORNERS)
                raise self.bad(name, f"image {box['image_id']}: box {fault}: {where}")

    def bad(self, name: str, fault: str) -> BadAnnotations:
        """The error for a file of the annotations, with the mend."""
        address = f"{self.annotations.address}/{name}"
        return BadAnnotations(f"{address}: {fault}; check openimages.annotations or that file")


class WholeLines(io.RawIOBase):
    """Passes a stream on and remembers whether it ended at the end of a line.

    A CSV that was cut off in its last value still parses.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.last = b""

    @property
    def ended(self) -> bool:
        """Whether the last byte that was read ends a line."""
        return self.last == b"\n"

    def readable(self) -> bool:
        """A stream to read from."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read as the stream does."""
        chunk = self.stream.read(size)
        self.last = chunk[-1:] or self.last
        return chunk


def csv_type(column: str) -> pa.DataType:
    """How a column of the boxes' CSV is read."""
    if column.startswith("Is"):
        return pa.int8()
    return pa.float64() if column.startswith(("X", "Y")) else pa.string()
