"""What `predict` prints; docs/product.md has the schemas."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from dminity.commands.text_table import aligned
from dminity.detection.boxes import xyxy_to_xywh
from dminity.runtime.answers import BOX_DIGITS, boxes_of, photo_answer, unread
from dminity.runtime.finding import Failed, Seen
from dminity.runtime.inputs import printable
from dminity.runtime.model_file import Description

Pictures = Iterable[Seen[Path | None]]
# Of what was seen, by which model, and what could not be read: complete when all is seen.
Writer = Callable[[Pictures, Description, Sequence[Failed]], None]


def _table(seen: Pictures, model: Description, _: Sequence[Failed]) -> None:
    """A row for each box."""
    rows: list[tuple[str, ...]] = [("photo", "class", "score", "left", "top", "right", "bottom")]
    for picture in seen:
        name = printable(picture.name)
        boxes = [
            (name, label, f"{score:.2f}", *(f"{side:.0f}" for side in corners))
            for label, score, corners in boxes_of(picture.found, model.classes)
        ]
        rows += boxes or [(name, "nothing", "", "", "", "", "")]
    # Whatever letters the terminal knows.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if len(rows) > 1:
        print("\n".join(aligned(rows, right=range(2, 7))))


def _json(seen: Pictures, model: Description, failed: Sequence[Failed]) -> None:
    """One object."""
    photos = [photo_answer(picture, model.classes) for picture in seen]
    print(json.dumps({"photos": photos, "failed": unread(failed)}, indent=2))


def _csv(seen: Pictures, model: Description, _: Sequence[Failed]) -> None:
    """A line for each box, as soon as it is found."""
    # Names that are no UTF-8 keep their bytes. What reads a pipe need not wait for a full buffer.
    sys.stdout.reconfigure(  # type: ignore[union-attr]
        encoding="utf-8", errors="surrogateescape", line_buffering=True
    )
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("photo", "class", "score", "left", "top", "right", "bottom"))
    for picture in seen:
        for label, score, corners in boxes_of(picture.found, model.classes):
            writer.writerow((picture.name, label, score, *corners))


def _coco(seen: Pictures, model: Description, _: Sequence[Failed]) -> None:
    """COCO's object detection: images, categories, annotations with scores."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, picture in enumerate(seen, start=1):
        size = {"width": picture.width, "height": picture.height}
        images.append({"id": image_id, "file_name": picture.name, **size})
        boxes = xyxy_to_xywh(picture.found.xyxy_pixels).tolist()
        for box, (_label, score, _corners), class_id in zip(
            boxes, boxes_of(picture.found, model.classes), picture.found.class_ids, strict=True
        ):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(class_id) + 1,
                    "bbox": [round(side, BOX_DIGITS) for side in box],
                    "area": round(box[2] * box[3], BOX_DIGITS),
                    "iscrowd": 0,
                    "score": score,
                }
            )
    categories = [{"id": number, "name": name} for number, name in enumerate(model.classes, 1)]
    content = {"images": images, "categories": categories, "annotations": annotations}
    print(json.dumps(content, indent=2))


BY_NAME: dict[str, Writer] = {"table": _table, "json": _json, "csv": _csv, "coco": _coco}
