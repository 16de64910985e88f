"""Frames of real videos."""

from pathlib import Path

import numpy as np
import pytest

from dminity.runtime.photo import BadPhoto
from dminity.runtime.video import frames
from tests.helpers.videos import CODECS, SIDE, cut, write_video


@pytest.mark.parametrize("suffix", CODECS)
@pytest.mark.parametrize(
    ("every_s", "seconds"),
    [(1.0, [0, 1, 2]), (0.25, [0, 0.3, 0.5, 0.8, 1, 1.3, 1.5, 1.8, 2, 2.3, 2.5, 2.8]), (99, [0])],
)
def test_a_frame_in_so_many_seconds(
    tmp_path: Path, suffix: str, every_s: float, seconds: list[float]
) -> None:
    found = list(frames(write_video(tmp_path / f"clip{suffix}"), every_s))
    assert [second for second, _ in found] == pytest.approx(seconds)
    for second, photo in found:
        assert (photo.height, photo.width) == photo.bgr.shape[:2] == (SIDE, SIDE)
        left, right = np.split(photo.bgr, 2, axis=1)
        assert (left.mean() > right.mean()) == (second < 1.5)


def test_a_video_that_stops_early_is_named_after_what_can_be_read(tmp_path: Path) -> None:
    # In this container, what is said of the length stands at the beginning.
    video = frames(cut(write_video(tmp_path / "clip.avi"), 0.5), 0.5)
    with pytest.raises(BadPhoto, match=r"it stops after \d\.\d of 3\.0 s: it is cut off or damag"):
        list(video)
    assert next(frames(tmp_path / "clip.avi", 0.5))[0] == 0


def test_a_video_without_its_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPhoto, match="cut off or damaged, or no video"):
        list(frames(cut(write_video(tmp_path / "clip.mp4"), 0.5), 1.0))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "it is empty"), (b"no video", "no video that can be read"), (None, "no such file")],
)
def test_what_is_no_video_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "clip.mp4").write_bytes(content)
    with pytest.raises(BadPhoto, match=reason):
        list(frames(tmp_path / "clip.mp4", 1.0))


@pytest.mark.parametrize("name", ["two words é.mp4", "a:b.mp4", "100%d.mp4", "new\nline.avi"])
def test_any_name_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / f"clip{Path(name).suffix}").rename(name)
    assert len(list(frames(Path(name), 1.0))) == 3
