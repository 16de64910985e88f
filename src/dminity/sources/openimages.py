"""Open Images V7, or a mirror of it: CSV files of boxes and of image-level labels; photos by id.

Layout: https://storage.googleapis.com/openimages/web/download_v7.html. V7 has the boxes of V6 for
train and of V5 for the other splits.
"""

import csv
import io
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv as pa_csv

from dminity.core.amenities import AMENITIES, NAME_OF_CODE, NAMES
from dminity.core.errors import DminityError
from dminity.core.hierarchy import CODE_OF_OTHERS, nearest
from dminity.core.splits import SPLITS
from dminity.data import tables
from dminity.remote.faults import Unavailable
from dminity.remote.reading import open_folder
from dminity.remote.retrying import retry_aloud
from dminity.sources.settings import OpenImagesSettings
from dminity.sources.sieve import Damaged, Position, sift
from dminity.sources.source import Annotations, SourceFile

CLASSES_CSV = "v5/class-descriptions-boxable.csv"
BOXES_CSV = {
    "train": "v6/oidv6-train-annotations-bbox.csv",
    "validation": "v5/validation-annotations-bbox.csv",
    "test": "v5/test-annotations-bbox.csv",
}
LABELS_CSV = {split: f"v5/{split}-annotations-human-imagelabels-boxable.csv" for split in SPLITS}
BOX_COLUMNS = {
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
LABEL_COLUMNS = {"ImageID": "image_id", "LabelName": "label", "Confidence": "present"}
# What tells of the amenities: labels of all that they are related to, and boxes of what is one.
LABEL_OF_CODE = NAME_OF_CODE | {code: name for name, code in CODE_OF_OTHERS.items()}
BOX_OF_CODE = {code: name for code, name in LABEL_OF_CODE.items() if nearest(name, NAMES)}
IMAGE_ID = "[0-9a-f]{16}"
UNKNOWN_FLAG = -1


class BadAnnotations(DminityError):
    """A CSV file is missing, cut off, or not what Open Images publishes."""


class OpenImages:
    """The published set; see `sources.source.Source`."""

    version = "openimages"

    def __init__(self, addresses: OpenImagesSettings) -> None:
        self.partial = addresses.partial
        self.may_recover = "://" in addresses.images
        self.csv_files = open_folder(addresses.annotations, addresses.s3_endpoint)
        self.images = open_folder(addresses.images, addresses.s3_endpoint)

    def annotations(self, split: str, work: Path) -> Annotations:
        """The boxes and labels of a split of all that concerns the amenities, by name.

        Raises:
            BadAnnotations: naming the file, and the row where one is at fault.
        """
        self.check_codes()
        boxes, boxes_file = self.read_rows(BOXES_CSV[split], BOX_COLUMNS, BOX_OF_CODE, work)
        for flag in tables.FLAGS:
            boxes[flag] = (boxes[flag] == 1).astype("boolean").mask(boxes[flag] == UNKNOWN_FLAG)
        labels, labels_file = self.read_rows(LABELS_CSV[split], LABEL_COLUMNS, LABEL_OF_CODE, work)
        return Annotations(
            boxes.assign(split=split)[list(tables.BOXES.names)],
            labels.assign(split=split, present=labels["present"] > 0)[list(tables.VERIFIED.names)],
            [boxes_file, labels_file],
        )

    def photo(self, split: str, image_id: str) -> bytes:
        """The published JPEG, at most 1024 pixels on its long side."""
        return self.images.read(f"{split}/{image_id}.jpg")

    def read_rows(
        self, name: str, columns: dict[str, str], name_of_code: dict[str, str], work: Path
    ) -> tuple[pd.DataFrame, SourceFile]:
        """A CSV's rows of some classes, under our names of columns, and what the file was."""
        kept = work / name.replace("/", "-")
        try:
            position = sift(self.csv_files, name, list(name_of_code), kept)
            rows = parse(kept, list(columns)).rename(columns=columns)
        except (Unavailable, Damaged, pa.ArrowInvalid, pa.ArrowKeyError) as error:
            raise self.bad(name, error) from error
        rows = rows[rows["label"].isin(name_of_code)].reset_index(drop=True)
        rows["label"] = rows["label"].map(name_of_code)
        wrong = rows.loc[~rows["image_id"].str.fullmatch(IMAGE_ID), "image_id"]
        if len(wrong):
            raise self.bad(name, f"{wrong.iloc[0]!r} is no image id")
        return rows, _described(name, position)

    def check_codes(self) -> None:
        """Refuse to go on if Open Images knows one of our classes by another name or not at all.

        What the amenities are kinds of, or are of, a mirror may know nothing of.
        """
        unknown = dict.fromkeys((amenity.code for amenity in AMENITIES), "not there")
        published = unknown | self.published_names
        for code, name in LABEL_OF_CODE.items():
            found = published.get(code, name)
            if found != name:
                raise self.bad(CLASSES_CSV, f"{code} ({name}) is {found}")

    @cached_property
    def published_names(self) -> dict[str, str]:
        """Open Images' name of each code; read once for all splits."""
        try:
            address = f"{self.csv_files.address}/{CLASSES_CSV}"
            content = retry_aloud(lambda: self.csv_files.read(CLASSES_CSV), address)
            text = content.decode("utf-8-sig")
        except (Unavailable, UnicodeDecodeError) as error:
            raise self.bad(CLASSES_CSV, error) from error
        return {row[0]: row[1] for row in csv.reader(io.StringIO(text)) if len(row) == 2}

    def bad(self, name: str, fault: object) -> BadAnnotations:
        """The error for a file of the annotations, with the mend."""
        # What cannot be had says itself which file it is.
        which = "" if isinstance(fault, Unavailable) else f"{self.csv_files.address}/{name}: "
        said = " ".join(str(fault).split())
        return BadAnnotations(
            f"{which}{said}; check openimages.annotations, the folder that holds v5 and v6, "
            "or that file"
        )


def parse(path: Path, columns: list[str]) -> pd.DataFrame:
    """The named columns of a CSV as a table; flags are int8, corners and confidences float64."""
    convert = pa_csv.ConvertOptions(
        include_columns=columns,
        column_types={column: _csv_type(column) for column in columns},
    )
    rows: pd.DataFrame = pa_csv.read_csv(path, convert_options=convert).to_pandas()
    return rows


def _csv_type(column: str) -> pa.DataType:
    """How a column of a published CSV is read."""
    if column.startswith("Is"):
        return pa.int8()
    return pa.string() if column in ("ImageID", "LabelName") else pa.float64()


def _described(name: str, position: Position) -> SourceFile:
    """A file that was read to its end."""
    return SourceFile(
        name, position.read_bytes, f"{position.crc32c:08x}", position.rows, position.kept
    )
