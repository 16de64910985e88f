"""Pascal VOC written by us, read by us and by others."""

from pathlib import Path

import numpy as np
import pytest
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dminity.data import voc
from dminity.data.voc import Annotation, VocObject

TABLE = "Kitchen & dining room table"
CLASSES = ("Bed", TABLE)


def corners(side: int) -> st.SearchStrategy[list[float]]:
    """Two corners of a box in order, on a side of so many pixels."""
    corner = st.integers(0, side * 100).map(lambda value: value / 100)
    return st.lists(corner, min_size=2, max_size=2, unique=True).map(sorted)


def objects(width: int, height: int) -> st.SearchStrategy[VocObject]:
    """Any object in a photo of this size, its corners in hundredths of a pixel."""
    xs, ys = corners(width), corners(height)
    return st.builds(
        VocObject,
        label=st.sampled_from(["Bed", TABLE, "<odd> & 'quoted' \"name\""]),
        xyxy_pixels=st.tuples(xs, ys).map(lambda pairs: tuple(np.transpose(pairs).flat)),
        truncated=st.booleans(),
        occluded=st.booleans(),
        difficult=st.booleans(),
    )


@given(
    st.lists(objects(640, 480), max_size=5),
    st.lists(st.sampled_from(["Bed", TABLE, "<odd> & 'quoted' \"name\""]), unique=True),
)
def test_an_annotation_round_trips_exactly(
    tmp_path_factory: pytest.TempPathFactory, some: list[VocObject], unverified: list[str]
) -> None:
    path = tmp_path_factory.mktemp("voc") / "0123456789abcdef.xml"
    annotation = Annotation("0123456789abcdef", 640, 480, tuple(some), tuple(unverified))
    voc.write(annotation, path)
    assert voc.read(path) == annotation


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A VOC folder in the layout of the devkit with one photo in each split."""
    for split in ("train", "val", "test"):
        image_id = f"{split:0>16}"
        objects = (
            VocObject(TABLE, (10.25, 20.5, 300.75, 200.0), truncated=True),
            VocObject("Bed", (0.0, 0.0, 320.0, 240.0), difficult=True),
        )
        for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
            (tmp_path / name).mkdir(parents=True, exist_ok=True)
        path = tmp_path / "Annotations" / f"{image_id}.xml"
        voc.write(Annotation(image_id, 320, 240, objects, CLASSES[:1]), path)
        Image.new("RGB", (320, 240)).save(voc.photo_path(tmp_path, image_id))
        (tmp_path / "ImageSets" / "Main" / f"{split}.txt").write_text(f"{image_id}\n")
    return tmp_path


def test_torchvision_reads_the_same_boxes(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "VOCdevkit").mkdir(parents=True)
    (root / "VOCdevkit" / "VOC2012").symlink_to(folder, target_is_directory=True)
    dataset = torchvision.datasets.VOCDetection(str(root), year="2012", image_set="val")
    photo, target = dataset[0]
    found = target["annotation"]["object"]
    assert photo.size == (320, 240)
    assert [item["name"] for item in found] == [TABLE, "Bed"]
    corners = [[float(item["bndbox"][side]) for side in voc.SIDES] for item in found]
    (annotation,) = voc.read_split(folder, "validation", CLASSES)
    np.testing.assert_allclose(corners, annotation.xyxy_pixels(), atol=1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # FiftyOne's own imports are its business
def test_fiftyone_reads_the_same_boxes(folder: Path) -> None:
    from fiftyone.utils.voc import load_voc_detection_annotations

    (annotation,) = voc.read_split(folder, "test", CLASSES)
    found = load_voc_detection_annotations(folder / "Annotations" / f"{annotation.image_id}.xml")
    boxes = [item.to_detection((320, 240)) for item in found.objects]
    assert [box.label for box in boxes] == [TABLE, "Bed"]
    x, y, width, height = np.array([box.bounding_box for box in boxes]).T
    corners = np.stack([x, y, x + width, y + height], axis=1) * [320, 240, 320, 240]
    np.testing.assert_allclose(corners, annotation.xyxy_pixels(), atol=1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"no element found"),
        ("<annotation/>", r"<size/width> is missing"),
        ("<annotation><size><width>9</width>", r"no element found"),
    ],
)
def test_a_bad_annotation_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.xml"
    path.write_text(content)
    with pytest.raises(voc.BadAnnotation, match=rf"bad\.xml: {message}.*; run `dvc repro voc`"):
        voc.read(path)


def test_entities_of_foreign_xml_are_not_expanded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xml"
    path.write_text(
        '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><annotation>&c;</annotation>'
    )
    with pytest.raises(voc.BadAnnotation, match=r"bomb\.xml: its DOCTYPE defines entities"):
        voc.read(path)


def test_a_missing_or_empty_split_is_named(folder: Path) -> None:
    (folder / "ImageSets" / "Main" / "test.txt").write_text("")
    with pytest.raises(voc.BadAnnotation, match=r"test\.txt: no photo in it"):
        voc.read_split(folder, "test", CLASSES)
    (folder / "ImageSets" / "Main" / "test.txt").unlink()
    with pytest.raises(voc.BadAnnotation, match=r"test\.txt: no such file.*run `dvc repro voc`"):
        voc.read_split(folder, "test", CLASSES)


def test_difficult_objects_are_the_ignored_ones() -> None:
    objects = (
        VocObject("Sink", (1.0, 2.0, 3.0, 4.0)),
        VocObject("Bed", (0.0, 0.0, 9.0, 9.0), difficult=True),
    )
    known = voc.ground_truth(Annotation("a", 64, 48, objects), ("Bed", "Sink", "Towel"))
    assert known.class_ids.tolist() == [1, 0]
    assert known.ignored.tolist() == [False, True]
    assert (known.width, known.height) == (64, 48)
