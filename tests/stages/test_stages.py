"""What stages do beyond the parts that they join; each runs in a folder of its own."""

import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from PIL import Image

from dminity.core.amenities import NAMES, buckets
from dminity.core.hierarchy import with_ancestors
from dminity.data import tables, voc
from dminity.sources.rooms import scene
from dminity.sources.source import Annotations
from dminity.stages import index
from dminity.stages import voc as voc_stage
from tests.helpers.project import ROOT, run_module


class Source:
    """A source that may lack classes, or not."""

    version = "one"
    may_recover = False

    def __init__(self, partial: bool) -> None:
        self.partial = partial

    def annotations(self, split: str, work: Path) -> Annotations:
        """Not asked for."""
        raise AssertionError(split, work)

    def photo(self, split: str, image_id: str) -> bytes:
        """Not asked for."""
        raise AssertionError(split, image_id)


def one_bed() -> pd.DataFrame:
    """A table of boxes with a single one."""
    row: dict[str, object] = {"image_id": "a", "split": "train", "label": "Bed"}
    row |= dict.fromkeys(tables.CORNERS, 0.5) | dict.fromkeys(tables.FLAGS)
    return pd.DataFrame([row], columns=tables.BOXES.names)


def test_a_class_without_a_box_is_named() -> None:
    with pytest.raises(index.NoBoxes, match=r"no box at all of: Toilet, Swimming pool.*partial"):
        index.refuse_empty_classes(one_bed(), Source(partial=False))


def test_a_partial_source_may_lack_classes_and_says_which(
    capsys: pytest.CaptureFixture[str],
) -> None:
    index.refuse_empty_classes(one_bed(), Source(partial=True))
    printed = capsys.readouterr().out
    assert all(name in printed for name in NAMES if name != "Bed")
    assert "Bed" not in printed.replace("Sofa bed", "").split(", ")


def test_flags_of_the_table_reach_the_annotation(tmp_path: Path) -> None:
    row = {"image_id": "a", "split": "train", "xmin": 0.1, "ymin": 0.2, "xmax": 0.5, "ymax": 1.0}
    flags = {"is_depiction": False, "is_inside": None, "is_group_of": None}
    table = pd.DataFrame(
        [
            row
            | flags
            | {"label": "Bed", "is_truncated": True, "is_occluded": None, "difficult": False},
            row
            | flags
            | {"label": "Pillow", "is_truncated": False, "is_occluded": True, "difficult": True},
        ]
    )
    tables.write(table, tmp_path / "boxes.parquet", tables.MERGED_BOXES)
    annotation = voc_stage.annotate(
        "a", tables.read(tmp_path / "boxes.parquet", tables.MERGED_BOXES), 200, 100
    )
    corners = (20.0, 20.0, 100.0, 100.0)
    assert annotation.objects == (
        voc.VocObject("Bed", corners, truncated=True),
        voc.VocObject("Pillow", corners, occluded=True, difficult=True),
    )
    assert (annotation.width, annotation.height) == (200, 100)


def test_what_nobody_looked_for_reaches_the_annotation(tmp_path: Path) -> None:
    merged = tmp_path / "data" / "merged"
    corners = dict(zip(tables.CORNERS, (0.1, 0.2, 0.5, 1.0), strict=True))
    ids = {"a": "train", "b": "validation", "c": "test"}
    rows = [{"image_id": id_, "split": split} for id_, split in ids.items()]
    bed = {"label": "Bed", "difficult": False} | corners | dict.fromkeys(tables.FLAGS)
    images = [row | {"bucket": "01-10", "wanted_by": ["Bed"]} for row in rows]
    tables.write(pd.DataFrame(images), merged / "images.parquet", tables.IMAGES)
    boxes = pd.DataFrame([row | bed for row in rows])
    tables.write(boxes, merged / "boxes.parquet", tables.MERGED_BOXES)
    verified = [row | {"label": "Bed", "present": True} for row in rows]
    verified += [rows[0] | {"label": label, "present": False} for label in ("Sink", "Oven")]
    tables.write(pd.DataFrame(verified), merged / "verified.parquet", tables.VERIFIED)
    (merged / "classes.txt").write_text("Bed\nSink\nOven\n")
    sizes = pd.DataFrame([{"image_id": id_, "width": 64, "height": 48} for id_ in ids])
    tables.write(sizes, tmp_path / "data" / "voc" / "sizes.parquet", tables.SIZES)
    assert run_module(tmp_path, "dminity.stages.voc").returncode == 0
    found = {id_: voc.read(voc.annotation_path(tmp_path / "data/voc", id_)) for id_ in ids}
    assert [found[id_].unverified for id_ in ids] == [(), ("Sink", "Oven"), ("Sink", "Oven")]


def test_of_a_class_that_was_looked_for_no_object_is_without_a_box(tmp_path: Path) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["demo"] |= {"train": 60, "validation": 20, "test": 2, "unverified": 0.7}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    for stage in ("index", "pick"):
        assert run_module(tmp_path, f"dminity.stages.{stage}").returncode == 0
    for bucket in buckets():
        folder = tmp_path / "data" / "raw" / bucket
        folder.mkdir(parents=True)
        (folder / "rejected.csv").write_text("split,image_id,reason,attempts\n")
    assert run_module(tmp_path, "dminity.stages.merge").returncode == 0
    images = tables.read(tmp_path / "data" / "merged" / "images.parquet", tables.IMAGES)
    sizes = images[["image_id"]].assign(width=64, height=48)
    tables.write(sizes, tmp_path / "data" / "voc" / "sizes.parquet", tables.SIZES)
    assert run_module(tmp_path, "dminity.stages.voc").returncode == 0
    num_known = 0
    for annotation in voc.read_split(tmp_path / "data" / "voc", "train", NAMES):
        there = of_any_name(box.label for box in scene.describe(annotation.image_id))
        boxed = of_any_name(item.label for item in annotation.objects)
        known = set(NAMES) - set(annotation.unverified)
        assert {name: there[name] for name in known} == {name: boxed[name] for name in known}
        num_known += len(known)
    assert num_known > 60 * 7, "most of what was looked for is known"


def of_any_name(labels: Iterable[str]) -> Counter[str]:
    """How often each class is there, by its own name or as a kind."""
    return Counter(name for label in labels for name in with_ancestors(label))


def test_a_table_is_the_same_bytes_every_time_and_keeps_nulls(tmp_path: Path) -> None:
    table = one_bed()
    tables.write(table, tmp_path / "one.parquet", tables.BOXES)
    tables.write(
        tables.read(tmp_path / "one.parquet", tables.BOXES), tmp_path / "two.parquet", tables.BOXES
    )
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert tables.read(tmp_path / "one.parquet", tables.BOXES)["is_occluded"].isna().all()


@pytest.fixture
def picked(tmp_path: Path) -> Path:
    """A folder in which a room is picked."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["demo"] |= {"train": 4, "validation": 1, "test": 1}
    params["openimages"]["partial"] = True
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    row = {"image_id": "a" * 16, "split": "test", "bucket": "01-10", "wanted_by": ["Bed"]}
    for bucket in ("01-10", "11-20", "21-30"):
        rows = [row] if bucket == "01-10" else []
        images = pd.DataFrame(rows, columns=tables.IMAGES.names)
        tables.write(images, tmp_path / f"data/picked/{bucket}.parquet", tables.IMAGES)
    return tmp_path


def test_photos_of_another_source_are_not_kept(picked: Path) -> None:
    photo = picked / "data/raw/01-10/test" / f"{'a' * 16}.jpg"
    assert run_module(picked, "dminity.stages.fetch", "01-10").returncode == 0
    rendered = photo.read_bytes()
    Image.new("RGB", (99, 99)).save(photo)
    other = photo.read_bytes()
    assert run_module(picked, "dminity.stages.fetch", "01-10").returncode == 0
    assert photo.read_bytes() == other, "a good photo of the same source is kept"
    (picked / "data/raw/01-10/source.txt").write_text("elsewhere")
    assert run_module(picked, "dminity.stages.fetch", "01-10").returncode == 0
    assert photo.read_bytes() == rendered


def test_an_error_is_one_line_and_an_exit_code(picked: Path) -> None:
    shutil.rmtree(picked / "data/picked")
    (picked / "params.yaml").write_text("model: yolox_nano\n")
    done = run_module(picked, "dminity.stages.index")
    assert done.returncode == 1
    assert done.stderr.strip().startswith("error: params.yaml: ")
    assert done.stderr.strip().count("\n") == 0
