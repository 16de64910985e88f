"""A VOC folder of rendered rooms, for tests and benchmarks of training without the pipeline."""

from pathlib import Path

import cv2

from dminity.core.amenities import NAMES
from dminity.data import voc
from dminity.sources.rooms import scene

SIDE = 160


def make_room_folder(folder: Path, counts: dict[str, int], side: int = SIDE) -> Path:
    """Rooms of so many pixels with all their boxes, so many for each split."""
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    (folder / "classes.txt").write_text("\n".join(NAMES) + "\n")
    for number, (split, count) in enumerate(counts.items()):
        ids = [f"{number:04x}{room:012x}" for room in range(count)]
        (folder / "ImageSets" / "Main" / f"{voc.VOC_SPLIT[split]}.txt").write_text("\n".join(ids))
        for image_id in ids:
            write_room(folder, image_id, side)
    return folder


def write_room(folder: Path, image_id: str, side: int) -> None:
    """One room: photo and annotation."""
    pixels = cv2.cvtColor(scene.render(image_id), cv2.COLOR_RGB2BGR)
    scale = side / max(pixels.shape)
    photo = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(voc.photo_path(folder, image_id)), photo)
    height, width = photo.shape[:2]
    objects = [
        voc.VocObject(
            box.label, (box.xmin * width, box.ymin * height, box.xmax * width, box.ymax * height)
        )
        for box in scene.describe(image_id)
    ]
    annotation = voc.Annotation(image_id, width, height, tuple(objects))
    voc.write(annotation, voc.annotation_path(folder, image_id))
