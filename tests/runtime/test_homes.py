"""Which homes a folder holds."""

from pathlib import Path

import pytest

from dminity.runtime.homes import NoHome, find_homes
from tests.helpers.permissions import permissions_that_count
from tests.helpers.photos import jpeg


def put(folder: Path, *names: str) -> Path:
    """Photos in a folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(jpeg())
    return folder


def test_a_folder_of_photos_is_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "flat", "b.jpg", "a.jpg", ".trash/c.jpg", "notes/n.txt")
    (home,) = find_homes(tmp_path / "flat")
    assert home.name == "flat"
    assert [Path(item.name).name for item in home.inputs] == ["a.jpg", "b.jpg"]
    monkeypatch.chdir(tmp_path / "flat")
    assert find_homes(Path())[0].name == "flat"


def test_a_folder_of_folders_is_many_homes(tmp_path: Path) -> None:
    put(tmp_path, "2/bath/a.jpg", "2/a.mp4", "1/a.jpg", "readme.txt", "empty/notes.txt")
    homes = find_homes(tmp_path)
    assert [(home.name, len(home.inputs)) for home in homes] == [("1", 1), ("2", 2)]


def test_what_may_not_be_read_is_named_and_the_other_homes_are_there(tmp_path: Path) -> None:
    put(tmp_path, "1/a.jpg", "2/a.jpg")
    (tmp_path / "2").chmod(0)
    with permissions_that_count():
        first, second = find_homes(tmp_path)
        assert (first.inputs[0].fault, second.name) == ("", "2")
        assert second.inputs[0].fault.startswith("Permission denied: ")
        with pytest.raises(NoHome, match="2: Permission denied: "):
            find_homes(tmp_path / "2")
    (tmp_path / "2").chmod(0o700)


def test_what_is_no_home_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoHome, match="is no folder; name the folder that holds the photos"):
        find_homes(tmp_path / "gone")
    with pytest.raises(NoHome, match="holds no photo and no video"):
        find_homes(tmp_path)
    put(tmp_path, "loose.jpg", "1/a.jpg", "2/a.jpg")
    with pytest.raises(NoHome, match=r"is a file, where a folder is meant"):
        find_homes(tmp_path / "loose.jpg")
    with pytest.raises(NoHome, match=r"photos \(loose.jpg\) beside folders of photos \(1, 2\)"):
        find_homes(tmp_path)
