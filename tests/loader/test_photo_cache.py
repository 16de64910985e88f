"""Photos that processes share."""

import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dminity.loader.photo_cache import PhotoCache, room_for_photos

SIZES = [(4, 6), (3, 5), (8, 2)]
ALL = sum(height * width * 3 for height, width in SIZES)


def photo(index: int) -> NDArray[np.uint8]:
    """A noisy photo."""
    return np.random.default_rng(index).integers(0, 256, (*SIZES[index], 3), dtype=np.uint8)


@pytest.fixture
def cache(tmp_path: Path) -> PhotoCache:
    """An empty cache with room for all photos."""
    return PhotoCache(tmp_path / "photos", SIZES, ALL)


def assert_kept(cache: PhotoCache, index: int) -> None:
    """The photo of this index is there, and whole."""
    found = cache.get(index)
    assert found is not None
    np.testing.assert_array_equal(found, photo(index))


def test_photos_come_back_as_they_were_put(cache: PhotoCache) -> None:
    for index in (2, 0):
        assert cache.put(index, photo(index))
    assert_kept(cache, 0)
    assert_kept(cache, 2)
    assert cache.get(1) is None


def test_a_view_is_read_only_and_no_copy(cache: PhotoCache) -> None:
    cache.put(0, photo(0))
    first, second = cache.get(0), cache.get(0)
    assert first is not None
    assert second is not None
    assert np.shares_memory(first, second)
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        first.flags.writeable = True


@pytest.mark.parametrize(
    ("budget", "held"), [(0, 0), (71, 0), (72, 1), (72 + 44, 1), (72 + 45, 2), (10**9, 3)]
)
def test_the_budget_is_kept(tmp_path: Path, budget: int, held: int) -> None:
    cache = PhotoCache(tmp_path / "photos", SIZES, budget)
    assert [cache.put(index, photo(index)) for index in range(3)] == [
        index < held for index in range(3)
    ]
    assert [cache.get(index) is not None for index in range(3)] == [
        index < held for index in range(3)
    ]
    assert (tmp_path / "photos").stat().st_size <= max(budget + held, 1)


def test_an_empty_cache_takes_no_room(tmp_path: Path) -> None:
    PhotoCache(tmp_path / "photos", [(640, 640)] * 100, 10**9)
    status = (tmp_path / "photos").stat()
    assert status.st_size > 10**8
    assert status.st_blocks * 512 < 10**5


def test_forked_processes_share_it_even_without_its_name(cache: PhotoCache) -> None:
    cache.remove()
    assert not cache.path.exists()
    process = multiprocessing.get_context("fork").Process(target=cache.put, args=(1, photo(1)))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert_kept(cache, 1)


def test_another_program_shares_it_by_its_path(cache: PhotoCache) -> None:
    cache.put(0, photo(0))
    program = f"""
import numpy as np
from pathlib import Path
from dminity.loader.photo_cache import PhotoCache
cache = PhotoCache(Path({str(cache.path)!r}), {SIZES}, {ALL})
cache.put(2, cache.get(0).reshape(-1)[:48].reshape(8, 2, 3))
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    found = cache.get(2)
    assert found is not None
    np.testing.assert_array_equal(found.reshape(-1), photo(0).reshape(-1)[:48])


def test_pickled_it_opens_the_same_file(cache: PhotoCache) -> None:
    copy = pickle.loads(pickle.dumps(cache))
    copy.put(1, photo(1))
    assert_kept(cache, 1)


def test_a_view_outlives_the_cache(tmp_path: Path) -> None:
    cache = PhotoCache(tmp_path / "photos", SIZES, ALL)
    cache.put(0, photo(0))
    view, file = cache.get(0), cache.file
    cache.remove()
    cache.remove()
    del cache
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)
    assert view is not None
    np.testing.assert_array_equal(view, photo(0))


@pytest.mark.parametrize("written", [5, OSError(28, "No space left on device")])
def test_a_full_disk_keeps_no_photo(
    cache: PhotoCache, monkeypatch: pytest.MonkeyPatch, written: int | OSError
) -> None:
    def pwrite(*_: object) -> int:
        if isinstance(written, OSError):
            raise written
        return written

    monkeypatch.setattr(os, "pwrite", pwrite)
    assert not cache.put(0, photo(0))
    assert cache.get(0) is None


def test_there_is_no_room_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert 0 < room_for_photos() < shutil.disk_usage(tmp_path).free
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    assert room_for_photos() == 0
