"""Pascal VOC on disk: one XML file per photo, one text file per split.

    Annotations/<image id>.xml    JPEGImages/<image id>.jpg    ImageSets/Main/{train,val,test}.txt

Corners are written as most of today's tools do (CVAT, FiftyOne, torchvision's users): in pixels
from 0, with decimals. VOC2007 itself counted from 1; a reader that subtracts that 1 is off by one
pixel. `difficult` means what VOC means by it: not counted in evaluation, neither as found nor as
missed. http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html
"""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
from defusedxml.ElementTree import ParseError, parse
from numpy.typing import NDArray

from dminity.core.errors import DminityError
from dminity.detection.boxes import Boxes
from dminity.detection.detections import GroundTruth

VOC_SPLIT = {"train": "train", "validation": "val", "test": "test"}
SIDES = ("xmin", "ymin", "xmax", "ymax")
DECIMALS = 2


class BadAnnotation(DminityError):
    """A file of a VOC folder is missing or cannot be understood."""


class PhotoMissing(DminityError):
    """A photo of the VOC folder is missing or cannot be decoded."""


@dataclass(frozen=True)
class VocObject:
    """A box in a photo; `xyxy_pixels` are left, top, right and bottom."""

    label: str
    xyxy_pixels: tuple[float, float, float, float]
    truncated: bool = False
    occluded: bool = False
    difficult: bool = False


@dataclass(frozen=True)
class Annotation:
    """What is known about a photo of `width` x `height` pixels."""

    image_id: str
    width: int
    height: int
    objects: tuple[VocObject, ...]

    def xyxy_pixels(self) -> Boxes:
        """The corners of all objects: [N, 4], float64."""
        return np.array([item.xyxy_pixels for item in self.objects], float).reshape(-1, 4)


def write(annotation: Annotation, path: Path) -> None:
    """Write an annotation; corners are rounded to a hundredth of a pixel."""
    root = ElementTree.Element("annotation")
    _add(root, "folder", "JPEGImages")
    _add(root, "filename", f"{annotation.image_id}.jpg")
    size = ElementTree.SubElement(root, "size")
    _add(size, "width", str(annotation.width))
    _add(size, "height", str(annotation.height))
    _add(size, "depth", "3")
    _add(root, "segmented", "0")
    for item in annotation.objects:
        element = ElementTree.SubElement(root, "object")
        _add(element, "name", item.label)
        _add(element, "pose", "Unspecified")
        for flag in ("truncated", "occluded", "difficult"):
            _add(element, flag, str(int(getattr(item, flag))))
        corners = ElementTree.SubElement(element, "bndbox")
        for side, value in zip(SIDES, item.xyxy_pixels, strict=True):
            _add(corners, side, str(round(value, DECIMALS)))
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8")


def _add(parent: ElementTree.Element, tag: str, text: str) -> None:
    """Append `<tag>text</tag>`."""
    ElementTree.SubElement(parent, tag).text = text


def read(path: Path) -> Annotation:
    """Read an annotation of ours or of another tool.

    Raises:
        BadAnnotation: if the file is missing, no XML, or lacks a part.
    """
    try:
        root = parse(path).getroot()
        if root is None:
            raise ValueError("it is empty")
        return Annotation(
            image_id=path.stem,
            width=int(_text(root, "size/width")),
            height=int(_text(root, "size/height")),
            objects=tuple(_read_object(element) for element in root.iterfind("object")),
        )
    except (OSError, ParseError, ValueError) as error:
        raise BadAnnotation(f"{path}: {error}; run `dvc repro voc`, or mend that file") from error


def _read_object(element: ElementTree.Element) -> VocObject:
    """Read one `<object>`; other tools leave flags out, which means 0."""
    xmin, ymin, xmax, ymax = (float(_text(element, f"bndbox/{side}")) for side in SIDES)
    return VocObject(
        label=_text(element, "name"),
        xyxy_pixels=(xmin, ymin, xmax, ymax),
        truncated=element.findtext("truncated") == "1",
        occluded=element.findtext("occluded") == "1",
        difficult=element.findtext("difficult") == "1",
    )


def _text(element: ElementTree.Element, path: str) -> str:
    """The text at `path`, which must be there."""
    found = element.findtext(path)
    if not found:
        raise ValueError(f"<{path}> is missing")
    return found


def read_split(folder: Path, split: str) -> list[Annotation]:
    """The annotations of a split (train, validation or test), in the order of its list.

    Raises:
        BadAnnotation: if the list or one of its annotations cannot be read, or the list is empty.
    """
    return [read(annotation_path(folder, image_id)) for image_id in read_ids(folder, split)]


def read_ids(folder: Path, split: str) -> list[str]:
    """The ids of the photos of a split, in the order of its list.

    Raises:
        BadAnnotation: if the list cannot be read, or is empty.
    """
    path = split_path(folder, split)
    try:
        image_ids = path.read_text(encoding="utf-8").split()
    except OSError as error:
        raise BadAnnotation(f"{path}: {error.strerror}; run `dvc repro voc`") from error
    if not image_ids:
        raise BadAnnotation(f"{path}: no photo in it; run `dvc repro voc` with more photos")
    return image_ids


def read_classes(folder: Path) -> tuple[str, ...]:
    """The class names, in the order of the model's classes, from `classes.txt`."""
    path = folder / "classes.txt"
    try:
        return tuple(path.read_text(encoding="utf-8").splitlines())
    except OSError as error:
        raise BadAnnotation(f"{path}: {error.strerror}; run `dvc repro voc`") from error


def split_path(folder: Path, split: str) -> Path:
    """Where the list of the photos of a split lies."""
    return folder / "ImageSets" / "Main" / f"{VOC_SPLIT[split]}.txt"


def annotation_path(folder: Path, image_id: str) -> Path:
    """Where the annotation of a photo lies."""
    return folder / "Annotations" / f"{image_id}.xml"


def photo_path(folder: Path, image_id: str) -> Path:
    """Where a photo lies."""
    return folder / "JPEGImages" / f"{image_id}.jpg"


def read_photo(folder: Path, image_id: str) -> NDArray[np.uint8]:
    """A photo of a VOC folder: [H, W, 3], BGR.

    Raises:
        PhotoMissing: if the file is not there or does not decode.
    """
    path = photo_path(folder, image_id)
    photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if photo is None:
        raise PhotoMissing(f"{path} is missing or no photo; run `dvc repro resize`")
    return photo.astype(np.uint8, copy=False)


def ground_truth(annotation: Annotation, classes: tuple[str, ...]) -> GroundTruth:
    """What a VOC annotation says; `difficult` objects are the ignored ones."""
    return GroundTruth(
        xyxy_pixels=annotation.xyxy_pixels(),
        class_ids=np.array([classes.index(item.label) for item in annotation.objects], np.int64),
        ignored=np.array([item.difficult for item in annotation.objects], np.bool_),
        height=annotation.height,
        width=annotation.width,
    )
