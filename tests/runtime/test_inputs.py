"""What a user names is found, in order."""

import os
from pathlib import Path

import numpy as np
import pytest

from dminity.runtime.inputs import find_inputs, pictures
from dminity.runtime.photo import BadPhoto
from tests.helpers.permissions import permissions_that_count
from tests.helpers.photos import jpeg
from tests.helpers.videos import write_video

SEEN = (64, 64)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two flats, and what lies around in them."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "flat-2/bath.jpg",
        "flat-1/z.PNG",
        "flat-1/deep/a.webp",
        "flat-1/.hidden.jpg",
        "flat-1/.thumbnails/a.jpg",
        "flat-1/notes.txt",
        "room.jpg",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(jpeg())
    return tmp_path


def names(*arguments: str) -> list[str]:
    """The names of what is found."""
    return [item.name for item in find_inputs(arguments)]


def test_photos_of_a_folder_come_by_name_and_hidden_ones_not_at_all(folder: Path) -> None:
    assert names(".") == ["room.jpg", "flat-1/z.PNG", "flat-1/deep/a.webp", "flat-2/bath.jpg"]
    assert names(str(folder / "flat-2")) == [f"{folder}/flat-2/bath.jpg"]


def test_the_order_is_that_of_the_arguments_and_nothing_comes_twice(folder: Path) -> None:
    assert names("room.jpg", "flat-2", "-", "room.jpg", "./room.jpg", "-") == [
        "room.jpg",
        "flat-2/bath.jpg",
        "standard input",
    ]


def test_globs_that_no_shell_expanded(folder: Path) -> None:
    assert names("flat-*/*.[jP]*") == ["flat-1/z.PNG", "flat-2/bath.jpg"]
    assert names("**/a.*") == ["flat-1/deep/a.webp"]
    assert names("flat-[12]") == ["flat-1/z.PNG", "flat-1/deep/a.webp", "flat-2/bath.jpg"]


def test_a_file_whose_name_looks_like_a_glob(folder: Path) -> None:
    (folder / "a[1].jpg").write_bytes(jpeg())
    assert names("a[1].jpg") == ["a[1].jpg"]


def refusal(argument: str) -> str:
    """Why nothing can be read."""
    (picture,) = pictures(find_inputs([argument]), 1.0)
    with pytest.raises(BadPhoto) as caught:
        picture.read(SEEN)
    return str(caught.value)


def test_what_is_not_there_is_named(folder: Path) -> None:
    (folder / "empty/.git").mkdir(parents=True)
    (folder / "gone.jpg").symlink_to("nowhere")
    assert refusal("rom.jpg") == "there is no such file or folder"
    assert refusal("*.tif") == "no file or folder has such a name"
    assert refusal("empty") == "the folder holds no photo and no video"
    assert refusal("gone.jpg") == "No such file or directory: create it, or correct the path"
    assert refusal("x" * 300) == "there is no such file or folder"


def test_what_may_not_be_read_is_named(folder: Path) -> None:
    for path in (folder / "room.jpg", folder / "flat-1/deep"):
        path.chmod(0)
    with permissions_that_count():
        assert refusal("room.jpg").startswith("Permission denied: room.jpg belongs to ")
        assert refusal("flat-1/deep").startswith("Permission denied: flat-1/deep belongs to ")
        # What lies beside it is looked at.
        assert names("flat-1") == ["flat-1/z.PNG", "flat-1/deep"]
    (folder / "flat-1/deep").chmod(0o700)


def test_frames_are_named_by_their_video_and_second(folder: Path) -> None:
    write_video(folder / "clip.mp4")
    found = list(pictures(find_inputs(["clip.mp4", "room.jpg"]), 1.0))
    assert [picture.name for picture in found] == [
        "clip.mp4@0.0s",
        "clip.mp4@1.0s",
        "clip.mp4@2.0s",
        "room.jpg",
    ]
    brightness = [picture.read(SEEN).bgr[:, :32].mean() for picture in found[:3]]
    assert np.argmin(brightness) == 2
    fine = [picture.name for picture in pictures(find_inputs(["clip.mp4"]), 0.01)]
    assert len(set(fine)) == 30


def test_frames_that_are_close_to_each_other_have_names_of_their_own(folder: Path) -> None:
    write_video(folder / "clip.mp4", frames=24, per_second=12.0)
    for every_s, count in ((0.1, 20), (0.2, 10), (0.25, 8)):
        found = [picture.name for picture in pictures(find_inputs(["clip.mp4"]), every_s)]
        assert len(set(found)) == len(found) == count


def test_a_name_that_is_no_utf_8(folder: Path) -> None:
    (folder / "room.jpg").rename(os.fsdecode(b"r\xff.jpg"))
    (picture,) = pictures(find_inputs(["r*.jpg"]), 1.0)
    assert picture.read(SEEN).width == 40
    assert os.fsencode(picture.name) == b"r\xff.jpg"
