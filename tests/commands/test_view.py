"""The data in FiftyOne, with its real database."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from dminity.data import voc

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

# In a process of its own: FiftyOne starts a database server and imports half the world.
LOAD = """
import sys
from pathlib import Path
import torch
from dminity.network.detector import Detector, build_network
from dminity.commands.fiftyone_dataset import build_dataset

torch.manual_seed(0)
network = build_network("yolox_nano", 2).eval()
for layer in [*network.head.obj_preds, *network.head.cls_preds]:
    torch.nn.init.constant_(layer.bias, 2.0)  # sure of everything, everywhere
detector = Detector(network, "yolox_nano", ("Bed", "Kitchen & dining room table"), (64, 64))
dataset = build_dataset(Path("voc"), "test", detector)
print(len(dataset), dataset.count("ground_truth.detections"))
print(sorted(dataset.count_values("ground_truth.detections.label").items()))
print(dataset.count("predictions.detections") > 0)
print(sorted(dataset.count_values("ground_truth.detections.difficult").items()))
print(dataset.first()["ground_truth"].detections[0].bounding_box)
"""


def test_the_dataset_has_every_photo_and_box(tmp_path: Path) -> None:
    folder = tmp_path / "voc"
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    (folder / "classes.txt").write_text("Bed\nKitchen & dining room table\n")
    for number in range(3):
        objects = (
            voc.VocObject("Bed", (20.0, 10.0, 60.0, 50.0)),
            voc.VocObject("Kitchen & dining room table", (0.0, 0.0, 99.0, 99.0), difficult=True),
        )
        annotation = voc.Annotation(f"{number:016x}", 200, 100, objects)
        voc.write(annotation, folder / "Annotations" / f"{annotation.image_id}.xml")
        Image.new("RGB", (200, 100)).save(voc.photo_path(folder, annotation.image_id))
        with (folder / "ImageSets/Main/test.txt").open("a") as file:
            file.write(f"{annotation.image_id}\n")
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()[-5:]
    assert lines == [
        "3 6",
        "[('Bed', 3), ('Kitchen & dining room table', 3)]",
        "True",
        "[(False, 3), (True, 3)]",
        "[0.1, 0.1, 0.2, 0.4]",
    ]
    assert (tmp_path / ".fiftyone/database").is_dir()
