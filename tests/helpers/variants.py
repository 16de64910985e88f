"""Variants of experiments for tests, without a project."""

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from dminity.report.variants import Files, NotAtHand, Variant


class Folder(Files):
    """The files of a folder, in place of those of a project."""

    def read(self, rev: str, path: Path) -> bytes:
        """A file there."""
        try:
            return (Path(self.root) / path).read_bytes()
        except FileNotFoundError as error:
            raise NotAtHand(f"{path} is not there") from error


def variant_of(folder: Path, name: str = "", **said: Any) -> Variant:
    """A variant whose files lie in a folder, and which says what it is told."""
    empty: dict[str, Any] = {
        part: {} for part in ("params", "figures", "presence", "export", "data")
    }
    tables = {part: pd.DataFrame() for part in ("per_class", "speed")}
    return Variant(
        name=name or folder.name,
        rev=hashlib.sha1((name or folder.name).encode()).hexdigest(),
        missing=(),
        files=Folder(str(folder)),
        **(empty | tables | said),
    )
