"""Pascal VOC on disk: one XML file per photo, one text file per split.

    Annotations/<image id>.xml    JPEGImages/<image id>.jpg    ImageSets/Main/{train,val,test}.txt

Corners are written as most of today's tools do (CVAT, FiftyOne, torchvision's users): in pixels
from 0, with decimals. VOC2007 itself counted from 1; a reader that subtracts that 1 is off by one
pixel. `difficult` means what VOC means by it: not counted in evaluation, neither as found nor as
missed. http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html
VOC has no word for classes whose places in a photo nobody knows. They are listed in an element of
our own, `<unverified>`, by a `<name>` each; of a photo without it, all is known.

Folders of other tools are read too. What they say differently and is clear is understood; all
else is refused, naming the file: a wrong box or class would show in nothing but a worse detector.
"""

import glob
import math
import re
import reprlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, parse
from numpy.typing import NDArray

from dminity.core.errors import DminityError, suggestion
from dminity.core.memory import is_out_of_memory
from dminity.detection.boxes import Boxes
from dminity.detection.detections import GroundTruth

VOC_SPLIT = {"train": "train", "validation": "val", "test": "test"}
SIDES = ("xmin", "ymin", "xmax", "ymax")
DECIMALS = 2
# JPEG has no larger ones.
LARGEST_SIDE = 65535
# How far a corner may lie outside of its photo: what counting from 1 and rounding explain. More of
# it most often means that the annotation is of a photo of another size.
OUTSIDE_PIXELS = 2
FLAGS = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}
PHOTO_SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif",
    ".heic",
}  # fmt: skip
ONE_NAME = "a line of a list is the name of one photo, without folder and suffix"


class BadAnnotation(DminityError):
    """A file of a VOC folder is missing or cannot be understood."""


class PhotoMissing(DminityError):
    """A photo of the VOC folder is missing or cannot be decoded."""


class SizeMismatch(DminityError):
    """A photo has not the size that its annotation says."""


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
    """What is known about a photo of `width` x `height` pixels.

    unverified: the classes that nobody looked for in it, or that are somewhere in it without a box;
    boxes or none, they may be anywhere.
    """

    image_id: str
    width: int
    height: int
    objects: tuple[VocObject, ...]
    unverified: tuple[str, ...] = ()

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
    if annotation.unverified:
        unverified = ElementTree.SubElement(root, "unverified")
        for name in annotation.unverified:
            _add(unverified, "name", name)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8")


def _add(parent: ElementTree.Element, tag: str, text: str) -> None:
    """Append `<tag>text</tag>`."""
    ElementTree.SubElement(parent, tag).text = text


def read(path: Path) -> Annotation:
    """Read an annotation of ours or of another tool.

    Corners a little outside of the photo are cut off at its edge.

    Raises:
        BadAnnotation: if the file is missing or no annotation; if a size, a corner or a flag is
            none; if the corners of a box are in the wrong order or well outside of the photo.
        OSError: if the file is there and cannot be read.
    """
    try:
        return _read_annotation(path.stem, parse(path).getroot())
    except FileNotFoundError as error:
        raise BadAnnotation(
            f"{path}: no such file; {ONE_NAME}; mend the list, or run `dvc repro voc`"
        ) from error
    except DefusedXmlException as error:
        raise BadAnnotation(
            f"{path}: its DOCTYPE defines entities, which are not expanded; run `dvc repro voc`, "
            "or mend that file"
        ) from error
    # LookupError: its declaration names an encoding that there is not.
    except (ParseError, ValueError, LookupError) as error:
        raise BadAnnotation(f"{path}: {error}; run `dvc repro voc`, or mend that file") from error


def _read_annotation(image_id: str, root: ElementTree.Element | None) -> Annotation:
    """Read `<annotation>`."""
    if root is None or root.tag != "annotation":
        raise ValueError("it is no <annotation>")
    width, height = _read_side(root, "width"), _read_side(root, "height")
    objects = []
    for number, element in enumerate(root.iterfind("object"), start=1):
        try:
            objects.append(_read_object(element, width, height))
        except ValueError as error:
            raise ValueError(f"object {number}: {error}") from error
    unverified = tuple(element.text or "" for element in root.iterfind("unverified/name"))
    return Annotation(image_id, width, height, tuple(objects), unverified)


def _read_side(root: ElementTree.Element, name: str) -> int:
    """The photo's width or height in pixels."""
    text = _text(root, f"size/{name}")
    if re.fullmatch("[0-9]{1,5}", text.strip()) and 1 <= int(text) <= LARGEST_SIDE:
        return int(text)
    raise ValueError(
        f"<size/{name}> is {reprlib.repr(text)}, no whole number from 1 to {LARGEST_SIDE}"
    )


def _read_object(element: ElementTree.Element, width: int, height: int) -> VocObject:
    """Read one `<object>`; other tools leave flags out, which means 0."""
    return VocObject(
        label=_text(element, "name"),
        xyxy_pixels=_read_box(element, width, height),
        truncated=_read_flag(element, "truncated"),
        occluded=_read_flag(element, "occluded"),
        difficult=_read_flag(element, "difficult"),
    )


def _read_box(
    element: ElementTree.Element, width: int, height: int
) -> tuple[float, float, float, float]:
    """The corners of an object, within a photo of `width` x `height` pixels."""
    found = [_read_corner(element, side) for side in SIDES]
    named = ", ".join(f"{side} {corner:g}" for side, corner in zip(SIDES, found, strict=True))
    if found[0] >= found[2] or found[1] >= found[3]:
        raise ValueError(f"its box is empty or reversed: {named}")
    ends = (width, height, width, height)
    xmin, ymin, xmax, ymax = (
        min(max(corner, 0.0), end) for corner, end in zip(found, ends, strict=True)
    )
    inside = (xmin, ymin, xmax, ymax)
    moved = max(abs(corner - cut) for corner, cut in zip(found, inside, strict=True))
    if moved > OUTSIDE_PIXELS or xmin >= xmax or ymin >= ymax:
        raise ValueError(f"its box is not within the photo of {width} x {height} pixels: {named}")
    return inside


def _read_corner(element: ElementTree.Element, side: str) -> float:
    """One side of a box, in pixels."""
    text = _text(element, f"bndbox/{side}")
    try:
        corner = float(text)
    except ValueError:
        corner = math.nan
    if not math.isfinite(corner):
        raise ValueError(f"<{side}> is {reprlib.repr(text)}, no number")
    return corner


def _read_flag(element: ElementTree.Element, name: str) -> bool:
    """What a flag says in the words of any tool."""
    text = element.findtext(name, "")
    try:
        return FLAGS[text.strip().lower()]
    except KeyError:
        raise ValueError(f"<{name}> is {reprlib.repr(text)}, neither 0 nor 1") from None


def _text(element: ElementTree.Element, path: str) -> str:
    """The text at `path`, which must be there."""
    found = element.findtext(path)
    if not found:
        raise ValueError(f"<{path}> is missing")
    return found


def read_split(folder: Path, split: str, classes: Collection[str]) -> list[Annotation]:
    """The annotations of a split (train, validation or test), in the order of its list.

    Raises:
        BadAnnotation: if the list or one of its annotations cannot be read, the list is empty, or
            an annotation knows a class that is none of `classes`.
    """
    annotations = []
    for image_id in read_ids(folder, split):
        path = annotation_path(folder, image_id)
        annotations.append(read(path))
        _refuse_unknown_classes(annotations[-1], classes, path)
    return annotations


def _refuse_unknown_classes(annotation: Annotation, classes: Collection[str], path: Path) -> None:
    """Raise if an object, or what nobody looked for, is none of `classes`."""
    for label in (*(item.label for item in annotation.objects), *annotation.unverified):
        if label not in classes:
            raise BadAnnotation(
                f"{path}: {label!r} is none of the classes; run `dvc repro voc`, or mend "
                f"that file or classes.txt{suggestion(label, classes)}"
            )


def read_ids(folder: Path, split: str) -> list[str]:
    """The ids of the photos of a split, in the order of its list.

    Raises:
        BadAnnotation: if the list cannot be read, is empty, or holds paths.
    """
    path = split_path(folder, split)
    image_ids = _read_lines(path)
    if not image_ids:
        raise BadAnnotation(f"{path}: no photo in it; run `dvc repro voc` with more photos")
    for image_id in image_ids:
        if "/" in image_id or "\\" in image_id:
            raise BadAnnotation(
                f"{path}: {image_id!r} is a path; {ONE_NAME}; mend it, or run `dvc repro voc`"
            )
    return image_ids


def read_classes(folder: Path) -> tuple[str, ...]:
    """The class names, in the order of the model's classes, from `classes.txt`.

    Raises:
        BadAnnotation: if the file cannot be read, is empty, or holds a name twice.
    """
    path = folder / "classes.txt"
    names = tuple(_read_lines(path))
    if not names:
        raise BadAnnotation(f"{path}: no class in it; run `dvc repro voc`")
    for number, name in enumerate(names):
        if name in names[:number]:
            raise BadAnnotation(f"{path}: {name!r} is there twice; run `dvc repro voc`")
    return names


def _read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not blank, without blanks around them.

    Raises:
        BadAnnotation: if the file is missing or no text.
        OSError: if the file is there and cannot be read.
    """
    try:
        # Some editors begin a file with a mark that it is UTF-8.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise BadAnnotation(f"{path}: no such file; run `dvc repro voc`") from error
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # it is UTF-16
        raise BadAnnotation(f"{path} is no UTF-8 text; save it as UTF-8, or run `dvc repro voc`")
    lines = (line.strip() for line in text.split("\n"))
    return [line for line in lines if line]


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
    """A photo of a VOC folder, upright as its EXIF says: [H, W, 3], BGR.

    Raises:
        PhotoMissing: if the file is not there or does not decode.
        OSError: if it is there and cannot be read.
    """
    path = photo_path(folder, image_id)
    try:
        # From memory: read from a file, a photo that is cut off would end in gray.
        photo = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    except FileNotFoundError as error:
        raise PhotoMissing(
            f"{path}: no such file; {_other_file(path)}run `dvc repro resize`"
        ) from error
    except cv2.error as error:  # it is empty, or larger than OpenCV reads
        if is_out_of_memory(error):
            raise
        photo = None
    if photo is None:
        raise PhotoMissing(f"{path} is cut off, or no photo; run `dvc repro resize`")
    return photo.astype(np.uint8, copy=False)


def _other_file(path: Path) -> str:
    """What to do with a photo that has the name of a missing one, but another suffix, if any."""
    for other in sorted(path.parent.glob(f"{glob.escape(path.stem)}.*")):
        if other.stem == path.stem and other.suffix.lower() in PHOTO_SUFFIXES:
            return f"{other.name} is there: rename it or convert it to {path.name}, or "
    return ""


def annotated_photo(folder: Path, annotation: Annotation) -> NDArray[np.uint8]:
    """The photo that an annotation is of: [H, W, 3], BGR.

    Raises:
        PhotoMissing: if it is not there or does not decode.
        SizeMismatch: if the annotation is of a photo of another size.
    """
    photo = read_photo(folder, annotation.image_id)
    height, width = photo.shape[:2]
    if (width, height) != (annotation.width, annotation.height):
        raise SizeMismatch(
            f"{photo_path(folder, annotation.image_id)} is {width} x {height} pixels when upright, "
            f"its annotation says {annotation.width} x {annotation.height}; run `dvc repro voc`, "
            "or mend that annotation"
        )
    return photo


def ground_truth(annotation: Annotation, classes: tuple[str, ...]) -> GroundTruth:
    """What a VOC annotation says; `difficult` objects are the ignored ones."""
    return GroundTruth(
        xyxy_pixels=annotation.xyxy_pixels(),
        class_ids=np.array([classes.index(item.label) for item in annotation.objects], np.int64),
        ignored=np.array([item.difficult for item in annotation.objects], np.bool_),
        height=annotation.height,
        width=annotation.width,
    )
