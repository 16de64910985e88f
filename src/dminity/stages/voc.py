"""voc: the merged tables as Pascal VOC annotations beside the resized photos."""

import pandas as pd

from dminity.core.files import replacing_file, replacing_folder
from dminity.core.progress import Progress
from dminity.core.stage import MERGED, VOC, run
from dminity.data import tables, voc
from dminity.detection.boxes import normalized_to_pixels


def main() -> None:
    """Write Annotations, ImageSets and the list of classes."""
    images = tables.read(MERGED / "images.parquet")
    boxes = tables.read(MERGED / "boxes.parquet")
    boxes_of = dict(iter(boxes.groupby("image_id")))
    sizes = tables.read(VOC / "sizes.parquet").set_index("image_id")
    with replacing_folder(VOC / "Annotations") as folder:
        for image_id in Progress("voc", images["image_id"], len(images)):
            width, height = sizes.loc[image_id]
            annotation = annotate(image_id, boxes_of[image_id], int(width), int(height))
            voc.write(annotation, folder / f"{image_id}.xml")
    with replacing_folder(VOC / "ImageSets") as folder:
        (folder / "Main").mkdir()
        for split, name in voc.VOC_SPLIT.items():
            ids = images.loc[images["split"] == split, "image_id"]
            (folder / "Main" / f"{name}.txt").write_text("".join(f"{id_}\n" for id_ in ids))
    with replacing_file(VOC / "classes.txt") as path:
        path.write_bytes((MERGED / "classes.txt").read_bytes())


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
