"""What else may lie among the data: strays, links, files for folders, tables of something else."""

import errno
import io
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from dminity.core.files import InTheWay, replacing_file, replacing_folder
from dminity.core.parameters import BadParameter
from dminity.core.stage import LinkedOut, refuse_links_out_of
from dminity.data import tables
from dminity.data.fetching.download import Rejected, fetch_photos
from dminity.data.fetching.settings import FetchSettings
from dminity.data.resizing import resize_photo
from dminity.params import load_params
from dminity.sources.openimages import OpenImages
from dminity.stages import fetch, merge
from tests.helpers.permissions import permissions_that_count
from tests.helpers.photos import jpeg
from tests.helpers.project import ROOT


def names(folder: Path) -> list[str]:
    """All that is in a folder, as paths below it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def fetch_one(folder: Path, version: str = "one") -> list[Rejected]:
    """Fetch a single photo, `a`, into a bucket's folder, as the stage does."""
    fetch.prepare(folder, version)
    settings = FetchSettings(connections=1, attempts=1, min_side=16, max_missing=1.0)
    return fetch_photos([("train", "a")], lambda *_: jpeg(), folder, settings)


CLEAN = ["source.txt", "test", "train", "train/a.jpg", "validation"]


@pytest.mark.parametrize(
    "stray",
    [
        ".ipynb_checkpoints/x",
        "train/.ipynb_checkpoints/x",
        "train/@eaDir/deep/x",
        "train/a.jpg/x",
        "rejected.csv/x",
        "source.txt/x",
        "Thumbs.db",
        "train/Thumbs.db",
        "validation",
    ],
)
def test_strays_are_removed_from_a_bucket(tmp_path: Path, stray: str) -> None:
    path = tmp_path / "bucket" / stray
    path.parent.mkdir(parents=True)
    path.write_text("stray")
    assert fetch_one(tmp_path / "bucket") == []
    assert names(tmp_path / "bucket") == CLEAN
    fetch_one(tmp_path / "bucket")
    (tmp_path / "bucket" / "train" / "stray").mkdir()
    fetch_one(tmp_path / "bucket")
    assert names(tmp_path / "bucket") == CLEAN


def test_photos_of_another_source_are_counted_before_they_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch_one(tmp_path / "bucket")
    assert capsys.readouterr().err.count("note: ") == 0
    fetch_one(tmp_path / "bucket", "two")
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert len(said) == 1
    assert f"{tmp_path / 'bucket'}: removing files of another source, 'one': 1;" in said[0]
    assert "`dvc checkout`" in said[0]


@pytest.mark.parametrize("mark", [b"\xff\xfe\0", b""])
def test_a_mark_that_says_nothing_is_of_an_unknown_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mark: bytes
) -> None:
    fetch_one(tmp_path / "bucket")
    (tmp_path / "bucket" / "source.txt").write_bytes(mark)
    fetch_one(tmp_path / "bucket")
    assert "another source, 'unknown': 1;" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("strays", "count"),
    [
        (["test/b.jpg"], 1),
        (["train/mine/1.png", "train/mine/old/2.jpg", "train/b.xml"], 3),
        (["mine/1.jpg", "notes.txt"], 2),
        (["train/.a.jpg.unfinished", ".source.txt.unfinished"], 0),
        ([], 0),
    ],
)
@pytest.mark.parametrize("source", ["one", "two"])
def test_all_files_are_counted_before_they_are_removed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    strays: list[str],
    count: int,
    source: str,
) -> None:
    fetch_one(tmp_path / "bucket")
    (tmp_path / "bucket/rejected.csv").touch()
    (tmp_path / "bucket/test/empty").mkdir()
    for stray in strays:
        path = tmp_path / "bucket" / stray
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    fetch_one(tmp_path / "bucket", source)
    said = capsys.readouterr().err
    counts = [int(number) for number in re.findall(r"note: .* removing files .*: (\d+);", said)]
    removed = count + (source == "two")
    assert counts == [removed] * bool(removed)
    kept = ["rejected.csv"] * (source == "one")
    assert names(tmp_path / "bucket") == sorted([*CLEAN, *kept])


def test_a_link_is_one_file_and_what_it_leads_to_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch_one(tmp_path / "bucket")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "1.jpg").touch()
    (tmp_path / "mine" / "2.jpg").touch()
    (tmp_path / "bucket/train/mine").symlink_to(tmp_path / "mine")
    fetch_one(tmp_path / "bucket")
    assert "removing files that are not asked for: 1;" in capsys.readouterr().err
    assert names(tmp_path / "mine") == ["1.jpg", "2.jpg"]


@pytest.mark.parametrize("arguments", [[], ["kichen"], ["a", "b"]])
def test_a_bucket_that_is_none_is_answered_by_those_that_are(arguments: list[str]) -> None:
    with pytest.raises(fetch.UnknownBucket, match="name one of: "):
        fetch.named_bucket(arguments)


def test_a_bucket_may_be_a_link_to_another_disk(tmp_path: Path) -> None:
    (tmp_path / "bucket").symlink_to(tmp_path / "disk")
    fetch_one(tmp_path / "bucket")
    fetch_one(tmp_path / "bucket", "two")
    assert (tmp_path / "bucket").is_symlink()
    assert names(tmp_path / "disk") == CLEAN


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_is_a_link_is_replaced_where_it_leads(tmp_path: Path, there: bool) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "disk")
    if there:
        (tmp_path / "disk").mkdir()
        (tmp_path / "disk" / "old").touch()
    with pytest.raises(ZeroDivisionError), replacing_folder(link):
        raise ZeroDivisionError
    assert (tmp_path / "disk" / "old").exists() == there
    with replacing_folder(link) as folder:
        (folder / "new").touch()
    assert link.is_symlink()
    assert names(tmp_path / "disk") == ["new"]
    assert names(tmp_path) == ["disk", "disk/new", "link"]


def test_a_folder_stays_where_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").touch()

    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(target))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError), replacing_folder(tmp_path / "folder"):
        pass
    assert names(tmp_path) == ["folder", "folder/old"]


def test_a_folder_whose_replacement_was_interrupted_is_put_back(tmp_path: Path) -> None:
    (tmp_path / ".folder.replaced.unfinished").mkdir()
    (tmp_path / ".folder.replaced.unfinished" / "old").touch()
    with pytest.raises(ZeroDivisionError), replacing_folder(tmp_path / "folder"):
        raise ZeroDivisionError
    assert names(tmp_path) == ["folder", "folder/old"]


def test_a_folder_where_a_disk_is_mounted_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc")
    message = r"link is where a disk is mounted, .*; make it a link to a folder on that disk"
    with pytest.raises(InTheWay, match=message), replacing_folder(tmp_path / "link"):
        raise AssertionError("nothing is begun")


def test_a_file_that_is_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "cached").write_text("of DVC")
    (tmp_path / "output").symlink_to(tmp_path / "cached")
    with replacing_file(tmp_path / "output") as path:
        path.write_text("new")
    assert (tmp_path / "cached").read_text() == "of DVC"
    assert (tmp_path / "output").read_text() == "new"
    assert not (tmp_path / "output").is_symlink()


def test_what_is_in_the_way_is_named_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InTheWay, match="file is a file"), replacing_folder(tmp_path / "file"):
        pytest.fail("the work began")
    with pytest.raises(InTheWay, match="is a folder"), replacing_file(tmp_path):
        pytest.fail("the work began")


@pytest.mark.parametrize("link", ["data", "data/raw"])
def test_a_link_out_of_the_repository_is_refused(tmp_path: Path, link: str) -> None:
    root = tmp_path / "root"
    (root / link).parent.mkdir(parents=True)
    folders = [Path("data/raw"), Path("models")]
    refuse_links_out_of(root, folders)
    (root / link).symlink_to(tmp_path / "disk")
    with pytest.raises(LinkedOut, match=rf"^{link} is a link .*dvc cache dir"):
        refuse_links_out_of(root, folders)


def test_a_link_within_the_repository_is_none_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(tmp_path / "elsewhere")
    refuse_links_out_of(tmp_path, [Path("data/raw")])


def test_a_table_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "boxes.parquet"
    with pytest.raises(tables.NoTable, match=r"boxes\.parquet is missing"):
        tables.read(path, tables.BOXES)
    path.write_bytes(b"PAR1 no table PAR1")
    with pytest.raises(tables.NoTable, match=r"boxes\.parquet is missing or damaged"):
        tables.read(path, tables.BOXES)
    pd.DataFrame({"image_id": ["a"]}).to_parquet(path)
    with pytest.raises(tables.NoTable, match=r"boxes\.parquet has other columns"):
        tables.read(path, tables.BOXES)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_list_of_classes_that_is_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "classes.txt").write_bytes(content)
    with pytest.raises(tables.NoTable, match=r"classes\.txt is .*`dvc repro`"):
        tables.read_classes(tmp_path / "classes.txt")


@pytest.mark.parametrize(
    "content", [None, b"", b"\xff\xfe", b"a,b\n1,2\n", b"split,image_id,reason,attempts\na,b,c,d\n"]
)
def test_a_list_of_missing_photos_that_is_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/raw/bucket").mkdir(parents=True)
    if content is not None:
        (tmp_path / "data/raw/bucket/rejected.csv").write_bytes(content)
    with pytest.raises(merge.BadList, match=r"rejected\.csv .*`dvc repro -f fetch@bucket`"):
        merge.read_missing("bucket")


def test_ids_left_out_that_match_nothing_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    merge.say_unmatched([])
    assert capsys.readouterr().err == ""
    merge.say_unmatched(["a", "b", "c", "d"])
    assert "match none of the photos asked for: 4 (a, b, c, …);" in (capsys.readouterr().err)


def test_ids_left_out_may_be_in_capitals_and_come_twice(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    ids = "leave_out: ['00AA00AA00AA00AA', '00aa00aa00aa00aa']"
    (tmp_path / "params.yaml").write_text(text.replace("leave_out: []", ids), encoding="utf-8")
    assert load_params(tmp_path / "params.yaml").leave_out == ("00aa00aa00aa00aa",)


@pytest.mark.parametrize(("address", "recovers"), [("/mnt/mirror", False), ("s3://bucket", True)])
def test_a_bad_photo_on_a_disk_is_not_asked_for_again(address: str, recovers: bool) -> None:
    settings = load_params(ROOT / "params.yaml").openimages
    source = OpenImages(settings.model_copy(update={"images": address}))
    assert source.may_recover == recovers


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"seed: \xff", "not UTF-8", id="Latin-1"),
        pytest.param("seed: 1".encode("utf-16"), "not UTF-8", id="UTF-16"),
        pytest.param(b"", "no `name: value` at its top", id="empty"),
        pytest.param(b"- seed", "no `name: value` at its top", id="a list"),
        pytest.param(b"seed:\n\t1: 2", "is no YAML", id="tabs"),
        pytest.param(b"seed: 1\0", "is no YAML", id="a NUL"),
        pytest.param(b"seed: 2026-99-99", "is no YAML", id="an impossible date"),
        pytest.param(b"? [a]\n: 1", "params.yaml", id="a list as a name"),
        pytest.param(b"1: 1", "params.yaml", id="a number as a name"),
    ],
)
def test_parameters_that_are_none_are_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(BadParameter) as refusal:
        load_params(tmp_path / "params.yaml")
    assert said in str(refusal.value)
    assert str(tmp_path / "params.yaml") in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_parameters_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes(b"\xef\xbb\xbf" + (ROOT / "params.yaml").read_bytes())
    assert load_params(tmp_path / "params.yaml") == load_params(ROOT / "params.yaml")


# Files that are there, and that the system does not let be read.

READERS: dict[str, Callable[[Path], object]] = {
    "params.yaml": load_params,
    "data/merged/boxes.parquet": lambda path: tables.read(path, tables.BOXES),
    "data/merged/classes.txt": tables.read_classes,
    "data/raw/01-10/rejected.csv": lambda path: merge.read_missing("01-10"),
    "data/raw/01-10/train/a.jpg": lambda path: resize_photo(path, path.with_name("b"), 16, 90),
}


@pytest.mark.parametrize(("name", "read"), READERS.items(), ids=READERS)
def test_a_file_that_may_not_be_read_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, read: Callable[[Path], object]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0)
    with permissions_that_count(), pytest.raises(PermissionError, match=name):
        read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(IsADirectoryError, match=name):
        read(path)


class Broken(io.FileIO):
    """A file on a disk that fails."""

    def read(self, size: int | None = -1) -> bytes:
        """Nothing can be read."""
        raise OSError(errno.EIO, "Input/output error")


def test_a_table_on_a_disk_that_fails_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "boxes.parquet"
    path.write_bytes(b"PAR1" * 99)
    monkeypatch.setattr(Path, "open", lambda path, mode: Broken(path, mode))
    with pytest.raises(OSError, match="Input/output error"):
        tables.read(path, tables.BOXES)


def test_a_mark_that_cannot_be_read_costs_no_photo(tmp_path: Path) -> None:
    fetch_one(tmp_path / "bucket")
    (tmp_path / "bucket/source.txt").chmod(0)
    with permissions_that_count(), pytest.raises(PermissionError, match=r"source\.txt"):
        fetch_one(tmp_path / "bucket")
    assert names(tmp_path / "bucket") == CLEAN
