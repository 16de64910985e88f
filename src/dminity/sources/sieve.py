"""The lines of a huge CSV that name one of a few codes, in one pass over its bytes.

Open Images' largest file has 14.6 million rows, of which a hundredth is of interest. To split each
into 21 values and look at one takes ten times as long as to look for the codes in the bytes; what
is found goes through a real CSV parser afterwards. The sieve judges no line: it may let through
more than was asked for, and lets through everything where lines do not have the header's commas.
"""

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple

import ahocorasick_rs
import google_crc32c
import numpy as np

from dminity.core.files import replacing_file
from dminity.remote.faults import Changed
from dminity.remote.reading import Folder
from dminity.remote.retrying import Blocks, retry_aloud

# How much is read between two notes of the position, from which a killed pass is resumed.
NOTE_BYTES = 64 << 20
LONGEST_LINE_BYTES = 1 << 16
# Blocks that are searched while the next is read.
IN_FLIGHT = 1


class Damaged(Exception):
    """The bytes are not those of a whole CSV; the message says why."""


@dataclass(frozen=True)
class Position:
    """How far a pass over a version of a file has come; at the end, what the file was.

    commas: of the header. read_bytes, crc32c: of whole lines. rows: lines below the header, and
    kept: those of interest. kept_bytes: length of the result, header included.
    """

    address: str
    codes: list[str]
    version: str = ""
    commas: int = 0
    read_bytes: int = 0
    crc32c: int = 0
    rows: int = 0
    kept: int = 0
    kept_bytes: int = 0
    ended: bool = False


class _Found(NamedTuple):
    """Of some lines, all and those of interest, and how many these are."""

    lines: bytes
    rows: int
    kept_lines: bytes
    kept: int


def sift(folder: Folder, name: str, codes: list[str], target: Path) -> Position:
    """Write the header of a CSV and its lines that hold one of `codes` to `target`.

    Killed and started again, it resumes from the note that it left beside `target`, unless the
    file has changed meanwhile. Memory does not grow with the file.

    Raises:
        Unavailable: if the file cannot be had.
        Damaged: if it is cut off, has a NUL in it, or is not what the server's checksum says.
    """
    note = target.with_name(f"{target.name}.note")
    fresh = Position(f"{folder.address}/{name}", codes)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    with target.open("r+b") as result:
        try:
            return _resume(folder, name, _read_note(note, fresh), result, note)
        except Changed:
            return _resume(folder, name, fresh, result, note)


def _resume(
    folder: Folder, name: str, position: Position, result: IO[bytes], note: Path
) -> Position:
    """Sift from a position to the end of the file."""
    if position.ended:
        retry_aloud(
            lambda: _refuse_another(folder, name, position.version), f"{folder.address}/{name}"
        )
        return position
    result.truncate(position.kept_bytes)
    result.seek(position.kept_bytes)
    blocks = Blocks(folder, name, position.read_bytes, position.version)
    lines = _whole_lines(blocks.with_progress())
    if not position.read_bytes:
        header, rest = _cut_header(next(lines, b""))
        result.write(header)
        position = _begin(position, header)
        lines = chain([rest], lines)
    noted = position.read_bytes
    for found in _search(lines, position.codes, position.commas):
        position = _add(position, found, result)
        if position.read_bytes - noted >= NOTE_BYTES:
            noted = position.read_bytes
            _write_note(note, replace(position, version=blocks.version), result)
    _check_whole(blocks, position)
    position = replace(position, version=blocks.version, ended=True)
    _write_note(note, position, result)
    return position


def _refuse_another(folder: Folder, name: str, version: str) -> None:
    """Raise if a file is not of that version any more."""
    with folder.open(name, version=version):
        pass


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut at ends of lines."""
    rest = b""
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest = block[end:]
        else:
            rest += block
        if len(rest) > LONGEST_LINE_BYTES:
            raise Damaged(f"a line of more than {LONGEST_LINE_BYTES} bytes: {rest[:40]!r}")
    if rest:
        raise Damaged("the last line is cut off")


def _cut_header(lines: bytes) -> tuple[bytes, bytes]:
    """The first line, and the others."""
    end = lines.find(b"\n") + 1
    if not end:
        raise Damaged("it is empty")
    return lines[:end], lines[end:]


def _begin(fresh: Position, header: bytes) -> Position:
    """How far it is after the header."""
    return replace(
        fresh,
        commas=header.count(b","),
        read_bytes=len(header),
        crc32c=google_crc32c.value(header),
        kept_bytes=len(header),
    )


def _search(lines: Iterable[bytes], codes: list[str], commas: int) -> Iterator[_Found]:
    """Find the lines of interest while the next ones are read; in order."""
    automaton = ahocorasick_rs.BytesAhoCorasick([code.encode() for code in codes])
    waiting: deque[Future[_Found]] = deque()
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        for block in lines:
            waiting.append(pool.submit(_find, block, automaton, commas))
            if len(waiting) > IN_FLIGHT:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _find(lines: bytes, automaton: ahocorasick_rs.BytesAhoCorasick, commas: int) -> _Found:
    """The lines that hold a code; all, if commas and lines do not agree."""
    if (nul := lines.find(0)) >= 0:
        start = lines.rfind(b"\n", 0, nul) + 1
        raise Damaged(f"a NUL byte in the line that begins with {lines[start : start + 40]!r}")
    letters = np.frombuffer(lines, np.uint8)
    rows = int(np.count_nonzero(letters == ord("\n")))
    if np.count_nonzero(letters == ord(",")) != rows * commas:
        return _Found(lines, rows, lines, rows)
    spans = list(_line_spans(lines, automaton))
    return _Found(lines, rows, b"".join(lines[start:end] for start, end in spans), len(spans))


def _line_spans(
    lines: bytes, automaton: ahocorasick_rs.BytesAhoCorasick
) -> Iterator[tuple[int, int]]:
    """Where each line with a code begins and ends."""
    end = 0
    for _, position, _ in automaton.find_matches_as_indexes(lines):
        if position >= end:
            start = lines.rfind(b"\n", end, position) + 1 or end
            end = lines.index(b"\n", position) + 1
            yield start, end


def _add(position: Position, found: _Found, result: IO[bytes]) -> Position:
    """Keep what was found in the next lines."""
    result.write(found.kept_lines)
    return replace(
        position,
        read_bytes=position.read_bytes + len(found.lines),
        crc32c=google_crc32c.extend(position.crc32c, found.lines),
        rows=position.rows + found.rows,
        kept=position.kept + found.kept,
        kept_bytes=position.kept_bytes + len(found.kept_lines),
    )


def _check_whole(blocks: Blocks, position: Position) -> None:
    """Refuse a file that is not what the server says of it."""
    if blocks.size not in (None, position.read_bytes):
        raise Damaged(f"it ended after {position.read_bytes} of {blocks.size} bytes")
    if blocks.crc32c not in (None, position.crc32c):
        raise Damaged(f"its CRC-32C is {position.crc32c:08x}; the server says {blocks.crc32c:08x}")


def _read_note(note: Path, fresh: Position) -> Position:
    """What was noted of a pass over the same address for the same codes, or `fresh`."""
    try:
        position = Position(**json.loads(note.read_text()))
    except (OSError, ValueError, TypeError):
        return fresh
    same = (position.address, position.codes) == (fresh.address, fresh.codes)
    return position if same and position.version else fresh


def _write_note(note: Path, position: Position, result: IO[bytes]) -> None:
    """Note how far it is, once the result up to there is on disk."""
    result.flush()
    os.fsync(result.fileno())
    with replacing_file(note) as path:
        path.write_text(json.dumps(asdict(position)))
