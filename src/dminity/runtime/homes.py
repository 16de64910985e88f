"""The homes in a folder: one whose photos lie in it, or one for each folder in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dminity.core.errors import DminityError, some
from dminity.runtime.inputs import Input, in_folder

NAMED = 3


class NoHome(DminityError):
    """A folder holds no photos of homes, or it is not clear of which."""


@dataclass(frozen=True)
class HomePhotos:
    """A home's name, that of its folder, and its photos and videos."""

    name: str
    inputs: tuple[Input, ...]


def find_homes(folder: Path) -> list[HomePhotos]:
    """Its homes, by name. Folders without photos are none, and hidden ones are passed over.

    Raises:
        NoHome: if there are no photos, both photos and folders of photos, or it may not be read.
    """
    if not folder.is_dir():
        what = "is a file, where a folder is meant" if folder.exists() else "is no folder"
        raise NoHome(f"{folder} {what}; name the folder that holds the photos of a home")
    inputs = in_folder(folder)
    if not inputs:
        raise NoHome(f"{folder} holds no photo and no video; name the folder of a home")
    if inputs[0].path == folder:
        raise NoHome(f"{folder}: {inputs[0].fault}")
    own, homes = _by_home(folder, inputs)
    if own and homes:
        raise NoHome(
            f"{folder} holds photos ({some([Path(item.name).name for item in own], NAMED)}) beside "
            f"folders of photos ({some(sorted(homes), NAMED)}): move them into one that is a home"
        )
    if own:
        return [HomePhotos(folder.resolve().name, tuple(own))]
    return [HomePhotos(name, tuple(homes[name])) for name in sorted(homes)]


def _by_home(folder: Path, inputs: Sequence[Input]) -> tuple[list[Input], dict[str, list[Input]]]:
    """The photos in a folder itself, and those in each of its folders or deeper."""
    own: list[Input] = []
    homes: dict[str, list[Input]] = {}
    for item in inputs:
        assert item.path is not None
        first, *deeper = item.path.relative_to(folder).parts
        # What has a fault is a folder that may not be read.
        (homes.setdefault(first, []) if deeper or item.fault else own).append(item)
    return own, homes
