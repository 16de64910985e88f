"""Ultralytics, the peer of several benchmarks: where it comes from, and photos in its layout.

It is put into a folder of its own, beside the packages that it shares with this project, and is no
part of it. It runs in processes of its own, too, as it changes settings of PyTorch and OpenCV.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from dminity.data import voc
from dminity.detection.boxes import xyxy_to_cxcywh

# With polars, which it writes its own log with; all else that it asks for is here.
PACKAGES = (
    "ultralytics==8.4.190", "ultralytics-thop==2.2.3", "polars==2.1.0", "polars-runtime-32==2.1.0",
)  # fmt: skip


def install(folder: Path) -> None:
    """Put Ultralytics into a folder."""
    how = ("-m", "uv", "pip", "install", "--quiet", "--no-deps", "--target", str(folder))
    subprocess.run([sys.executable, *how, *PACKAGES], check=True)


def make_importable(folder: Path, home: Path) -> None:
    """Let this process import it from its folder; it keeps to `home` and calls nobody."""
    os.environ["YOLO_CONFIG_DIR"] = str(home)
    os.environ["YOLO_OFFLINE"] = "true"
    os.environ["YOLO_AUTOINSTALL"] = "false"
    sys.path.insert(0, str(folder))
    from ultralytics import settings

    reporters = ("sync", "clearml", "comet", "dvc", "mlflow", "raytune")
    settings.update(dict.fromkeys(reporters, False))


def write_photos(folder: Path, home: Path) -> Path:
    """A VOC folder as Ultralytics reads it: photos, labels, and the `data.yaml` that names them.

    Boxes that are `difficult` are left out: its labels have no word for them.
    """
    classes = voc.read_classes(folder)
    lines = [f"path: {home}"]
    for split, name in (("train", "train"), ("validation", "val"), ("test", "test")):
        if not voc.split_path(folder, split).exists():
            continue
        lines.append(f"{name}: images/{split}")
        (home / "images" / split).mkdir(parents=True)
        (home / "labels" / split).mkdir(parents=True)
        for annotation in voc.read_split(folder, split, classes):
            photo = voc.photo_path(folder, annotation.image_id)
            # It mends photos that it takes for damaged: not those of the project.
            shutil.copy(photo, home / "images" / split)
            label = home / "labels" / split / f"{annotation.image_id}.txt"
            label.write_text(_label(annotation, classes))
    lines += ["names:", *(f"  {number}: {name}" for number, name in enumerate(classes))]
    (home / "data.yaml").write_text("\n".join(lines) + "\n")
    return home / "data.yaml"


def _label(annotation: voc.Annotation, classes: tuple[str, ...]) -> str:
    """A line for each box: its class, and cxcywh, normalized."""
    sides = (annotation.width, annotation.height) * 2
    cxcywh_normalized = xyxy_to_cxcywh(annotation.xyxy_pixels()) / sides
    return "\n".join(
        f"{classes.index(item.label)} {' '.join(map(str, box.tolist()))}"
        for item, box in zip(annotation.objects, cxcywh_normalized, strict=True)
        if not item.difficult
    )
