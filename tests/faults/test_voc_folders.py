"""VOC folders as other tools and people leave them: understood as meant, or refused by name."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dminity.core.errors import DminityError
from dminity.data import voc
from dminity.data.voc import Annotation, BadAnnotation, PhotoMissing, SizeMismatch, VocObject
from dminity.loader.training_photos import LabeledPhotos
from dminity.loader.validation_photos import ValidationPhotos
from dminity.stages import evaluate
from tests.helpers.detectors import save_nano
from tests.helpers.permissions import permissions_that_count
from tests.helpers.project import ROOT

CLASSES = ("Bed", "Couch", "Kitchen & dining room table")
WIDTH, HEIGHT = 48, 32
BOX = (4.0, 6.5, 40.0, 30.0)
Change = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A VOC folder of two photos, `a` with a couch and `b` with nothing, both in each split."""
    folder = tmp_path / "data" / "voc"
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in CLASSES))
    for image_id, objects in (("a", (VocObject("Couch", BOX),)), ("b", ())):
        annotation = Annotation(image_id, WIDTH, HEIGHT, objects)
        voc.write(annotation, voc.annotation_path(folder, image_id))
        Image.new("RGB", (WIDTH, HEIGHT), "teal").save(voc.photo_path(folder, image_id))
    for split in voc.VOC_SPLIT:
        voc.split_path(folder, split).write_text("a\nb\n")
    return folder


def read(folder: Path) -> list[Annotation]:
    """What training reads of the folder: annotations, classes and photos."""
    photos = LabeledPhotos(folder, "train", voc.read_classes(folder), (32, 32), "ignore")
    for index in range(len(photos)):
        photos.pixels(index)
    return photos.annotations


def replaced(old: str, new: str) -> Change:
    """Another text in the annotation of `a`."""

    def change(folder: Path) -> None:
        path = voc.annotation_path(folder, "a")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


def written(name: str, content: str | bytes) -> Change:
    """Another content of a file."""
    return lambda folder: (folder / name).write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )


def renamed(new: str) -> Change:
    """Another name for `a`, in the list of training too."""

    def change(folder: Path) -> None:
        for path in (voc.annotation_path(folder, "a"), voc.photo_path(folder, "a")):
            path.rename(path.with_name(new + path.suffix))
        voc.split_path(folder, "train").write_text(f"{new}\nb\n", encoding="utf-8")

    return change


def moved_photo(name: str) -> Change:
    """Another name for the photo alone."""
    return lambda folder: voc.photo_path(folder, "a").rename(folder / "JPEGImages" / name)


def in_front(content: bytes, name: str = "Annotations/a.xml") -> Change:
    """Something before the content of a file."""
    return lambda folder: (folder / name).write_bytes(content + (folder / name).read_bytes())


def stray_files(folder: Path) -> None:
    """What else lies about in folders."""
    for room in (folder, folder / "Annotations", folder / "JPEGImages", folder / "ImageSets/Main"):
        for name in (".DS_Store", "Thumbs.db", "._a.xml", "notes.txt", "c.xml"):
            (room / name).write_bytes(b"\0stray")
        (room / "backup").mkdir()


LIST, CLASS_LIST = "ImageSets/Main/train.txt", "classes.txt"
NAME, XMAX = "<name>Couch</name>", "<xmax>40.0</xmax>"
DIFFICULT, SIZE = "<difficult>0<", f"<width>{WIDTH}</width>"

UNDERSTOOD: dict[str, Change] = {
    "a name with spaces": renamed("IMG 0001"),
    "a name in another script": renamed("Küche_é_厨房"),
    "a name with dots": renamed("photo.v2.rf.1a2b"),
    "a name with what patterns are made of": renamed("photo[1]*"),
    "a list from Windows": written(LIST, b"\xef\xbb\xbfa  \r\n\r\nb\r\n\r\n"),
    "a list from an old Mac": written(LIST, b"a\rb\r"),
    "a list without a last end of line": written(LIST, "a\nb"),
    "classes from Windows": written(
        CLASS_LIST, "\ufeff" + "\r\n".join([*CLASSES, "", "  "]).replace("Bed", "Bed ")
    ),
    "an annotation with a mark of UTF-8": in_front(b"\xef\xbb\xbf"),
    "an annotation in Latin-1": in_front(
        b'<?xml version="1.0" encoding="ISO-8859-1"?><!-- M\xf6bel -->'
    ),
    "blanks around numbers": replaced(XMAX, "<xmax>\n 40 </xmax>"),
    "no flags": replaced("<difficult>0</difficult>", ""),
    "an empty flag": replaced(f"{DIFFICULT}/difficult>", "<difficult/>"),
    "files and folders that nobody asked for": stray_files,
}


@pytest.mark.parametrize("change", UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_what_other_tools_write_differently_is_understood(folder: Path, change: Change) -> None:
    change(folder)
    first, second = read(folder)
    assert first.objects == (VocObject("Couch", BOX),)
    assert (second.image_id, second.objects) == ("b", ())


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("1", True),
        ("true", True),
        (" True\n", True),
        ("YES", True),
        ("no", False),
        ("FALSE", False),
    ],
)
def test_flags_are_understood_in_words(folder: Path, text: str, meaning: bool) -> None:
    replaced(DIFFICULT, f"<difficult>{text}<")(folder)
    assert read(folder)[0].objects == (VocObject("Couch", BOX, difficult=meaning),)


@pytest.mark.parametrize(
    ("side", "corner", "cut"),
    [("xmin>4.0", -1, 0), ("ymin>6.5", -2, 0), ("xmax>40.0", 50, 48), ("ymax>30.0", 32.5, 32)],
)
def test_a_corner_just_outside_of_the_photo_is_cut_off_at_its_edge(
    folder: Path, side: str, corner: float, cut: float
) -> None:
    name = side.partition(">")[0]
    replaced(f"<{side}<", f"<{name}>{corner}<")(folder)
    (item,) = read(folder)[0].objects
    assert item.xyxy_pixels[voc.SIDES.index(name)] == cut


BOMB = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><annotation>&c;</annotation>'
REFUSED: dict[str, tuple[Change, str]] = {
    "a size of 0": (replaced(SIZE, "<width>0</width>"), r"<size/width> is '0', no whole number"),
    "a size with decimals": (replaced(SIZE, "<width>48.5</width>"), r"<size/width> is '48\.5'"),
    "a negative size": (replaced(SIZE, "<width>-48</width>"), r"<size/width> is '-48'"),
    "a size in words": (replaced(SIZE, "<width>wide</width>"), r"<size/width> is 'wide'"),
    "a size of 99999": (replaced(SIZE, "<width>99999</width>"), r"<size/width> is '99999'"),
    "a huge size": (replaced(SIZE, f"<width>{'9' * 9999}</width>"), r"is '9+\.\.\.9+', no"),
    "no size": (replaced(SIZE, ""), r"<size/width> is missing"),
    "a box that is reversed": (
        replaced(XMAX, "<xmax>1</xmax>"),
        r"object 1: its box is empty or reversed: xmin 4, ymin 6\.5, xmax 1, ymax 30",
    ),
    "an empty box": (replaced(XMAX, "<xmax>4</xmax>"), r"object 1: its box is empty or reversed"),
    "a box well outside": (
        replaced(XMAX, "<xmax>51</xmax>"),
        r"object 1: its box is not within the photo of 48 x 32 pixels: .*xmax 51",
    ),
    "a box beside the photo": (
        lambda folder: (
            replaced(XMAX, "<xmax>49.5</xmax>")(folder),
            replaced("<xmin>4.0<", "<xmin>48.5<")(folder),
        ),
        r"object 1: its box is not within the photo of 48 x 32 pixels",
    ),
    "a corner that is no number": (replaced(XMAX, "<xmax>nan</xmax>"), r"<xmax> is 'nan'"),
    "an infinite corner": (replaced(XMAX, "<xmax>1e999</xmax>"), r"<xmax> is '1e999', no number"),
    "a corner with a comma": (replaced(XMAX, "<xmax>40,0</xmax>"), r"<xmax> is '40,0', no number"),
    "no corner": (replaced(XMAX, ""), r"object 1: <bndbox/xmax> is missing"),
    "no name": (replaced(NAME, "<name/>"), r"object 1: <name> is missing"),
    "a flag of another kind": (
        replaced(DIFFICULT, "<difficult>maybe<"),
        r"object 1: <difficult> is 'maybe', neither 0 nor 1",
    ),
    "another file": (written("Annotations/a.xml", "<html/>"), r"it is no <annotation>"),
    "an empty file": (written("Annotations/a.xml", ""), r"no element found"),
    "a file that is cut off": (
        lambda folder: os.truncate(voc.annotation_path(folder, "a"), 200),
        r"(unclosed token|no element found)",
    ),
    "no text": (written("Annotations/a.xml", bytes(range(256))), r"not well-formed"),
    "entities": (written("Annotations/a.xml", BOMB), r"its DOCTYPE defines entities"),
    "an encoding that there is not": (
        in_front(b'<?xml version="1.0" encoding="klingon"?>'),
        r"unknown encoding: klingon",
    ),
    "a Chinese encoding": (in_front(b'<?xml version="1.0" encoding="gb2312"?>'), r"encoding"),
}


def refusal(folder: Path, kind: type[DminityError]) -> str:
    """The line with which reading the folder ends."""
    with pytest.raises(kind) as caught:
        read(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_an_annotation_that_cannot_be_is_refused_by_name(
    folder: Path, change: Change, message: str
) -> None:
    change(folder)
    error = refusal(folder, BadAnnotation)
    assert error.startswith(f"{voc.annotation_path(folder, 'a')}: ")
    assert re.search(message, error)
    assert error.endswith("; run `dvc repro voc`, or mend that file")


FILE_NAMES = ["Annotations/a.xml", "JPEGImages/a.jpg", LIST, CLASS_LIST]


@pytest.mark.parametrize("name", FILE_NAMES)
def test_a_folder_in_place_of_a_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(IsADirectoryError, match=f"{folder / name}"):
        read(folder)


@pytest.mark.parametrize("name", FILE_NAMES)
def test_a_file_that_may_not_be_read_is_named(folder: Path, name: str) -> None:
    (folder / name).chmod(0)
    with permissions_that_count(), pytest.raises(PermissionError, match=f"{folder / name}"):
        read(folder)


@pytest.mark.parametrize(
    ("written_name", "shown", "meant"),
    [
        ("couch", "'couch'", "; did you mean 'Couch'?"),
        ("COUCH", "'COUCH'", "; did you mean 'Couch'?"),
        (" Couch\n", r"' Couch\n'", "; did you mean 'Couch'?"),
        ("Kitchen and dining room table", "'Kitchen and", f"; did you mean '{CLASSES[2]}'?"),
        ("Piano", "'Piano'", ""),
    ],
)
def test_a_class_that_is_not_known_is_named(
    folder: Path, written_name: str, shown: str, meant: str
) -> None:
    replaced(NAME, f"<name>{written_name}</name>")(folder)
    error = refusal(folder, BadAnnotation)
    assert error.startswith(f"{voc.annotation_path(folder, 'a')}: {shown}")
    assert error.endswith(f"mend that file or classes.txt{meant}")


def test_what_nobody_looked_for_is_one_of_the_classes_too(folder: Path) -> None:
    unverified = "<unverified><name>Bed</name></unverified></annotation>"
    replaced("</annotation>", unverified)(folder)
    assert read(folder)[0].unverified == ("Bed",)
    replaced("<name>Bed<", "<name>Beds<")(folder)
    error = refusal(folder, BadAnnotation)
    assert error.startswith(f"{voc.annotation_path(folder, 'a')}: 'Beds' is none of the classes")
    assert error.endswith("did you mean 'Bed'?")


FILES: dict[str, tuple[Change, str, str]] = {
    "classes: empty": (written(CLASS_LIST, "\n \n"), CLASS_LIST, "no class in it"),
    "classes: a name twice": (written(CLASS_LIST, "Couch\nBed\nCouch"), CLASS_LIST, "'Couch' is"),
    "classes: UTF-16": (written(CLASS_LIST, "Couch".encode("utf-16")), CLASS_LIST, "no UTF-8"),
    "classes: UTF-16 without a mark": (
        written(CLASS_LIST, "Couch".encode("utf-16-le")),
        CLASS_LIST,
        "no UTF-8 text; save it as UTF-8",
    ),
    "classes: Latin-1": (written(CLASS_LIST, b"M\xf6bel"), CLASS_LIST, "no UTF-8 text"),
    "list: empty": (written(LIST, "\ufeff\n"), LIST, "no photo in it"),
    "list: UTF-16": (written(LIST, "a\nb\n".encode("utf-16")), LIST, "no UTF-8 text"),
    "list: Latin-1": (written(LIST, b"m\xf6bel"), LIST, "no UTF-8 text"),
    "list: a path": (written(LIST, "JPEGImages/a"), LIST, "'JPEGImages/a' is a path; a line"),
    "list: a path above": (written(LIST, "../a"), LIST, "'../a' is a path; a line of a list is"),
    "list: a path of Windows": (written(LIST, "voc\\a"), LIST, r"is a path; a line of a list is"),
    "list: a suffix": (
        written(LIST, "a.jpg"),
        "Annotations/a.jpg.xml",
        "no such file; a line of a list is the name of one photo, without folder and suffix",
    ),
    "list: two columns": (
        written(LIST, "a  1"),
        "Annotations/a  1.xml",
        "no such file; a line of a list is the name of one photo",
    ),
}


@pytest.mark.parametrize(("change", "name", "message"), FILES.values(), ids=FILES)
def test_a_list_that_cannot_be_is_refused_by_name(
    folder: Path, change: Change, name: str, message: str
) -> None:
    change(folder)
    error = refusal(folder, BadAnnotation)
    assert error.startswith(str(folder / name))
    assert message in error


PHOTOS: dict[str, tuple[Change, str]] = {
    "missing": (lambda folder: voc.photo_path(folder, "a").unlink(), "no such file"),
    "empty": (written("JPEGImages/a.jpg", ""), "is cut off, or no photo"),
    "no photo": (written("JPEGImages/a.jpg", "<html/>"), "is cut off, or no photo"),
    "cut off": (
        lambda folder: os.truncate(path := voc.photo_path(folder, "a"), path.stat().st_size - 9),
        "is cut off, or no photo",
    ),
    **{
        f"another suffix: {name}": (moved_photo(name), f"{name} is there: rename it or convert it")
        for name in ("a.jpeg", "a.JPG", "a.png", "a.webp")
    },
}


@pytest.mark.parametrize(("change", "message"), PHOTOS.values(), ids=PHOTOS)
def test_a_photo_that_is_not_there_is_named(folder: Path, change: Change, message: str) -> None:
    change(folder)
    error = refusal(folder, PhotoMissing)
    assert error.startswith(str(voc.photo_path(folder, "a")))
    assert message in error
    assert error.endswith("run `dvc repro resize`")


def test_the_photo_of_another_name_is_not_taken_for_one_of_another_suffix(folder: Path) -> None:
    moved_photo("a.v2.jpg")(folder)
    assert "is there" not in refusal(folder, PhotoMissing)


def test_a_photo_of_another_size_than_its_annotation_is_named_in_every_split(folder: Path) -> None:
    Image.new("RGB", (HEIGHT, WIDTH)).save(voc.photo_path(folder, "a"))
    sizes = "a.jpg is 32 x 48 pixels when upright, its annotation says 48 x 32"
    assert sizes in refusal(folder, SizeMismatch)
    with pytest.raises(SizeMismatch, match=sizes):
        ValidationPhotos(folder, "validation", CLASSES, (32, 32), "ignore")[0]


def test_a_photo_that_exif_turns_is_read_upright(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: a quarter turn
    turned = Image.new("RGB", (HEIGHT, WIDTH))
    turned.paste("white", (0, WIDTH // 2, HEIGHT, WIDTH))
    turned.save(voc.photo_path(folder, "a"), exif=exif, quality=95)
    read(folder)
    photo = voc.read_photo(folder, "a")
    assert photo.shape == (HEIGHT, WIDTH, 3)
    assert np.median(photo[:, : WIDTH // 2]) > 200 > 50 > np.median(photo[:, WIDTH // 2 :])


@pytest.mark.parametrize(
    ("classes", "only"),
    [
        (
            ("Bed", "Towel"),
            r"only models/model\.pth has 'Sink' and only data/voc/classes\.txt has 'Towel';",
        ),
        (("Bed",), r"photos: only models/model\.pth has 'Sink'; run"),
        (("Bed", "Sink", *"abcd"), r"photos: only data/voc/classes\.txt has 'a', 'b', 'c', …; run"),
    ],
)
def test_a_model_of_other_classes_is_not_evaluated(
    folder: Path, monkeypatch: pytest.MonkeyPatch, classes: tuple[str, ...], only: str
) -> None:
    monkeypatch.chdir(folder.parents[1])
    shutil.copy(ROOT / "params.yaml", ".")
    save_nano(Path("models/model.pth"))
    (folder / "classes.txt").write_text("\n".join(classes))
    with pytest.raises(evaluate.OtherClasses, match=only):
        evaluate.main()
    assert not Path("metrics").exists()
