"""What owners say that their homes have: a CSV with the columns `amenity` and `home`."""

import csv
import io
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from dminity.core.errors import DminityError, some, suggestion

AMENITY, HOME = "amenity", "home"
# What of a list of homes fits into a line.
NAMED = 5


class BadClaims(DminityError):
    """A file of claims cannot be used."""


def read_claims(
    path: Path, homes: Sequence[str], classes: Sequence[str]
) -> dict[str, frozenset[str]]:
    """What is claimed of each home.

    Args:
        path: UTF-8, with a line that names the columns: `amenity`, and `home` if there are several.
        homes: their names; those that the file does not name claim nothing.
        classes: the amenities there are; capitals and blanks around them do not count.

    Raises:
        BadClaims: if it cannot be read, or names an amenity or a home that is not there.
    """
    return parse_claims(_text(path), str(path), homes, classes)


def parse_claims(
    text: str, source: str, homes: Sequence[str], classes: Sequence[str]
) -> dict[str, frozenset[str]]:
    """The same of a text.

    Args:
        text: that of a file as `read_claims` takes it.
        source: where it comes from, for messages.
        homes: their names.
        classes: the amenities there are.

    Raises:
        BadClaims: as `read_claims`.
    """
    # Line ends in quotes are left to the reader.
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    try:
        columns = [(name or "").strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        _check_columns(source, columns, len(homes) > 1)
        claims: dict[str, set[str]] = {home: set() for home in homes}
        for row in reader:
            where = f"{source}, line {reader.line_num}"
            home = _home(row.get(HOME), homes, where)
            claims[home].add(_amenity(row[AMENITY], classes, where))
    except csv.Error as error:
        raise BadClaims(
            f"{source}, line {reader.reader.line_num} is no CSV: {error}; correct it"
        ) from error
    return {home: frozenset(amenities) for home, amenities in claims.items()}


def _text(path: Path) -> str:
    """The text of a file, without the mark that some programs put before it."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise BadClaims(f"{path}: no such file; correct the path after --claims") from error
    except IsADirectoryError as error:
        raise BadClaims(f"{path} is a folder; name the file after --claims") from error
    except UnicodeDecodeError as error:
        raise BadClaims(
            f"{path} is not in UTF-8 (byte {error.start}); save it as `CSV UTF-8`"
        ) from error


def _check_columns(source: str, columns: Sequence[str], many: bool) -> None:
    """Refuse a file without a column that is needed."""
    for name in (AMENITY, HOME) if many else (AMENITY,):
        if name not in columns:
            there = ", ".join(repr(column) for column in columns) or "nothing"
            why = " for several homes" if name == HOME else ""
            raise BadClaims(
                f"{source} has no column {name!r}{why}: its first line has {there}; name the "
                "columns there, with commas between them"
            )


def _home(cell: str | None, homes: Sequence[str], where: str) -> str:
    """The home that a row is about: the only one, unless it says so."""
    name = (cell or "").strip()
    # Some disks take accents and letters apart.
    known = {unicodedata.normalize("NFC", home): home for home in homes}
    if found := known.get(unicodedata.normalize("NFC", name)):
        return found
    if not name and len(homes) == 1:
        return homes[0]
    close = suggestion(name, homes) or f"; there are {some(homes, NAMED)}"
    raise BadClaims(f"{where}: there is no home {name!r}{close}")


def _amenity(cell: str | None, classes: Sequence[str], where: str) -> str:
    """The amenity that a row claims."""
    word = (cell or "").strip()
    known = {name.casefold(): name for name in classes}
    if word.casefold() in known:
        return known[word.casefold()]
    close = suggestion(word, classes) or f"; there are {', '.join(classes)}"
    raise BadClaims(f"{where}: there is no amenity {word!r}{close}")
