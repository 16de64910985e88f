"""The tables that stages hand to each other, as Parquet with a fixed schema.

boxes: one row per box; corners are `normalized` (0-1 of the upright photo); a flag is null where
Open Images does not know it. images: one row per photo; `wanted_by` names the classes whose quota
picked it, and `bucket` is the one bucket that fetches it. verified: one row per photo and class
that people looked for in it, `present` or not; in the index two where they contradict each other.
In the merged table only classes that are absent or have boxes of their own, as all places are known
then. Of other classes in that photo nothing is known: they have no box either way. sizes: width and
height in pixels of each training photo.
"""

import errno
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dminity.core.errors import DminityError
from dminity.core.files import replacing_file
from dminity.core.memory import is_out_of_memory

FLAGS = ("is_occluded", "is_truncated", "is_group_of", "is_depiction", "is_inside")
CORNERS = ["xmin", "ymin", "xmax", "ymax"]

BOXES = pa.schema(
    [("image_id", pa.string()), ("split", pa.string()), ("label", pa.string())]
    + [(side, pa.float64()) for side in CORNERS]
    + [(flag, pa.bool_()) for flag in FLAGS]
)
# Of merged boxes, it is decided which are ignored: VOC's word is `difficult`.
MERGED_BOXES = BOXES.append(pa.field("difficult", pa.bool_()))
IMAGES = pa.schema(
    [
        ("image_id", pa.string()),
        ("split", pa.string()),
        ("bucket", pa.string()),
        ("wanted_by", pa.list_(pa.string())),
    ]
)
VERIFIED = pa.schema(
    [
        ("image_id", pa.string()),
        ("split", pa.string()),
        ("label", pa.string()),
        ("present", pa.bool_()),
    ]
)
# Of the photos in data/voc, in pixels.
SIZES = pa.schema([("image_id", pa.string()), ("width", pa.int32()), ("height", pa.int32())])


class NoTable(DminityError):
    """A table cannot be read."""


def write(table: pd.DataFrame, path: Path, schema: pa.Schema) -> None:
    """Write a table, whole or not at all; equal rows give equal bytes."""
    arrow = pa.Table.from_pandas(table, schema=schema, preserve_index=False)
    with replacing_file(path) as unfinished:
        pq.write_table(arrow.replace_schema_metadata(), unfinished)


def read(path: Path, schema: pa.Schema) -> pd.DataFrame:
    """Read a table that `write` wrote by the same schema.

    Raises:
        NoTable: if it is not there, or is none, or is of other columns.
        OSError: if it is there and cannot be read.
    """
    try:
        # One file: of a folder, PyArrow would read all that is in it.
        with path.open("rb") as file:
            found = pq.ParquetFile(file).read()
    except (OSError, pa.ArrowException) as error:
        # The system's errors have a number, those of PyArrow have none.
        of_the_system = getattr(error, "errno", None) not in (None, errno.ENOENT)
        if is_out_of_memory(error) or of_the_system:
            raise
        raise NoTable(f"{path} is missing or damaged; run `dvc repro`") from error
    if not found.schema.equals(schema):
        raise NoTable(f"{path} has other columns than this version writes; run `dvc repro`")
    table: pd.DataFrame = found.to_pandas(types_mapper=_nullable_flags)
    return table


def read_classes(path: Path) -> tuple[str, ...]:
    """Read the names of the classes in use, in the model's order, from a line each.

    Raises:
        NoTable: if they are not there, or are no text.
        OSError: if they are there and cannot be read.
    """
    try:
        classes = tuple(path.read_text(encoding="utf-8").splitlines())
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise NoTable(f"{path} is missing or damaged; run `dvc repro`") from error
    if not classes:
        raise NoTable(f"{path} is empty; run `dvc repro`")
    return classes


def _nullable_flags(arrow_type: pa.DataType) -> pd.BooleanDtype | None:
    """Keep null apart from false in boolean columns."""
    return pd.BooleanDtype() if pa.types.is_boolean(arrow_type) else None
