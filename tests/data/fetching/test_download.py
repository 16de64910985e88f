"""Photos are fetched whole, and once."""

from pathlib import Path

from dminity.data.fetching.download import Rejected, fetch_photos
from dminity.data.fetching.settings import FetchSettings
from tests.helpers.photos import jpeg


class Server:
    """Has some photos. Faults are in tests/faults/test_servers.py."""

    def __init__(self, **photos: bytes) -> None:
        self.photos = photos
        self.asked: list[str] = []

    def read(self, split: str, image_id: str) -> bytes:
        """A photo."""
        self.asked.append(image_id)
        return self.photos[image_id]


def fetch(server: Server, folder: Path, *ids: str) -> list[Rejected]:
    """Fetch photos of the train split, three attempts each."""
    (folder / "train").mkdir(exist_ok=True)
    settings = FetchSettings(connections=2, attempts=3, min_side=16, max_missing=1.0)
    photos = [("train", image_id) for image_id in ids]
    return fetch_photos(photos, server.read, folder, settings)


def test_photos_are_kept_byte_for_byte_and_not_fetched_twice(tmp_path: Path) -> None:
    server = Server(a=jpeg(), b=jpeg(20))
    fetch(server, tmp_path, "a", "b")
    fetch(server, tmp_path, "a", "b")
    assert (tmp_path / "train" / "a.jpg").read_bytes() == jpeg()
    assert sorted(server.asked) == ["a", "b"]


def test_a_damaged_photo_on_disk_is_fetched_again(tmp_path: Path) -> None:
    server = Server(a=jpeg())
    fetch(server, tmp_path, "a")
    path = tmp_path / "train" / "a.jpg"
    path.write_bytes(jpeg()[:200])
    fetch(server, tmp_path, "a")
    assert path.read_bytes() == jpeg()


def test_photos_that_nobody_asks_for_are_removed(tmp_path: Path) -> None:
    server = Server(a=jpeg(), b=jpeg())
    fetch(server, tmp_path, "a", "b")
    fetch(server, tmp_path, "b")
    assert [path.name for path in tmp_path.glob("*/*")] == ["b.jpg"]
