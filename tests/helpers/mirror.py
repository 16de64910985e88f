"""Mirrors of Open Images for tests: one made here, and real photos where they are at hand."""

import csv
from pathlib import Path
from typing import Any

import cv2

from dminity.core.amenities import AMENITIES
from dminity.core.hierarchy import CODE_OF_OTHERS
from dminity.sources.openimages import BOXES_CSV, CLASSES_CSV, LABELS_CSV
from dminity.sources.rooms import scene
from tests.helpers.s3_server import S3Server

# 51 real photos in the published layout, with a README of their own; not part of the project.
REAL_MIRROR = Path(__file__).parents[3] / "shared" / "openimages-mini"
COCO_CHECKPOINT = Path(__file__).parents[3] / "shared" / "weights" / "yolox_nano.pth"

SIZES = {"train": 12, "validation": 5, "test": 5}
COLUMNS = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf"
COLUMNS += ",IsDepiction,IsInside"
CLICKS = ",XClick1X,XClick2X,XClick3X,XClick4X,XClick1Y,XClick2Y,XClick3Y,XClick4Y"


def make_mirror(folder: Path) -> Path:
    """Rendered rooms, laid out as Open Images is: `openimages` and `open-images-dataset`."""
    classes = folder / "openimages" / CLASSES_CSV
    classes.parent.mkdir(parents=True)
    with classes.open("w", newline="") as file:
        rows = [(item.code, item.name) for item in AMENITIES]
        rows += [(code, name) for name, code in CODE_OF_OTHERS.items()]
        csv.writer(file).writerows([*rows, ("/m/01g317", "Person")])
    for number, (split, size) in enumerate(SIZES.items()):
        ids = [f"{number:04x}{room:012x}" for room in range(size)]
        write_boxes(folder / "openimages" / BOXES_CSV[split], ids, split)
        write_labels(folder / "openimages" / LABELS_CSV[split], ids)
        photos = folder / "open-images-dataset" / split
        photos.mkdir(parents=True)
        for image_id in ids:
            pixels = cv2.cvtColor(scene.render(image_id), cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(photos / f"{image_id}.jpg"), pixels)
    return folder


def write_boxes(path: Path, ids: list[str], split: str) -> None:
    """A CSV of boxes with the columns that Open Images publishes for the split."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [COLUMNS + (CLICKS if split == "train" else "")]
    for image_id in ids:
        lines.append(box_line(image_id, "/m/01g317", {"xmax": 1.0, "ymax": 1.0}, split))
        for box in scene.describe(image_id):
            code = next(item.code for item in AMENITIES if item.name == box.label)
            lines.append(box_line(image_id, code, vars(box), split))
    path.write_text("\n".join(lines) + "\n")


def write_labels(path: Path, ids: list[str]) -> None:
    """A CSV of verified labels: a person everywhere, and of each amenity whether it is there."""
    lines = ["ImageID,Source,LabelName,Confidence"]
    for image_id in ids:
        lines.append(f"{image_id},verification,/m/01g317,1")
        shown = {box.label for box in scene.describe(image_id)}
        lines += [
            f"{image_id},verification,{item.code},{int(item.name in shown)}" for item in AMENITIES
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def box_line(image_id: str, code: str, box: dict[str, Any], split: str = "test") -> str:
    """A line of a CSV of boxes; what `box` does not say is 0."""
    corners = [box.get(side, 0.0) for side in ("xmin", "xmax", "ymin", "ymax")]
    flags = [int(box.get(flag, 0)) for flag in ("is_occluded", "is_truncated", "is_group_of")]
    clicks = [0.5] * 8 if split == "train" else []
    return ",".join(
        str(cell) for cell in [image_id, "xclick", code, 1, *corners, *flags, 0, 0, *clicks]
    )


def serve_photos(s3: S3Server, mirror: Path, bucket: str) -> None:
    """Put a mirror's photos into a bucket that anybody may read."""
    files = s3.files()
    files.mkdir(bucket)
    files.put(f"{mirror}/open-images-dataset/", f"{bucket}/", recursive=True)
