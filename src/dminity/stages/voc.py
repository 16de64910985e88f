"""voc: the merged tables as Pascal VOC annotations beside the resized photos."""

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from dminity.core.errors import DminityError
from dminity.core.files import replacing_file, replacing_folder
from dminity.core.progress import Progress
from dminity.core.stage import MERGED, VOC, run
from dminity.data import tables, voc
from dminity.detection.boxes import normalized_to_pixels


class OtherPhotos(DminityError):
    """The tables are not of the same photos."""


def main() -> None:
    """Write Annotations, ImageSets and the list of classes."""
    images = tables.read(MERGED / "images.parquet", tables.IMAGES)
    boxes = tables.read(MERGED / "boxes.parquet", tables.MERGED_BOXES)
    boxes_of = dict(iter(boxes.groupby("image_id")))
    verified = tables.read(MERGED / "verified.parquet", tables.VERIFIED)
    located = verified.groupby("image_id")["label"].agg(set).to_dict()
    sizes = tables.read(VOC / "sizes.parquet", tables.SIZES).set_index("image_id")
    classes = tables.read_classes(MERGED / "classes.txt")
    _refuse_other_photos(images["image_id"], set(boxes["image_id"]), set(sizes.index))
    with replacing_folder(VOC / "Annotations") as folder:
        for image_id in Progress("voc", images["image_id"], len(images)):
            width, height = sizes.loc[image_id]
            annotation = annotate(image_id, boxes_of[image_id], int(width), int(height))
            known = located.get(image_id, set())
            unverified = tuple(name for name in classes if name not in known)
            voc.write(replace(annotation, unverified=unverified), folder / f"{image_id}.xml")
    with replacing_folder(VOC / "ImageSets") as folder:
        (folder / "Main").mkdir()
        for split, name in voc.VOC_SPLIT.items():
            ids = images.loc[images["split"] == split, "image_id"]
            (folder / "Main" / f"{name}.txt").write_text("".join(f"{id_}\n" for id_ in ids))
    with replacing_file(VOC / "classes.txt") as path:
        path.write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")


def _refuse_other_photos(images: Iterable[str], with_box: set[str], resized: set[str]) -> None:
    """Refuse tables that are not of the same photos."""
    for image_id in images:
        if image_id not in with_box:
            raise OtherPhotos(f"{MERGED} has no box of {image_id}; run `dvc repro -f merge`")
        if image_id not in resized:
            raise OtherPhotos(f"{VOC} has no size of {image_id}; run `dvc repro -f resize`")


def annotate(image_id: str, boxes: pd.DataFrame, width: int, height: int) -> voc.Annotation:
    """The annotation of a photo of `width` x `height` pixels; `boxes` has a row for each box."""
    xyxy_pixels = normalized_to_pixels(boxes[tables.CORNERS].to_numpy(), width, height)
    # Open Images does not know every flag; VOC has no word for that.
    flags = boxes[["is_truncated", "is_occluded", "difficult"]].fillna(False).to_numpy(bool)
    objects = tuple(
        voc.VocObject(label, tuple(corners), *map(bool, known))
        for label, corners, known in zip(boxes["label"], xyxy_pixels.tolist(), flags, strict=True)
    )
    return voc.Annotation(image_id, width, height, objects)


if __name__ == "__main__":
    run(main)
