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
from dminity.remote.reading import Changed, Folder
from dminity.remote.retrying import ATTEMPTS, Blocks, persist

# How much is read between two notes of how far it is, from which a killed pass goes on.
NOTE_BYTES = 64 << 20
LONGEST_LINE_BYTES = 1 << 16
# Blocks that are searched while the next is read.
IN_FLIGHT = 1


class Damaged(Exception):
    """The bytes are not those of a whole CSV; the message says why."""


@dataclass(frozen=True)
class Progress:
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


class Found(NamedTuple):
    """Of some lines, all and those of interest, and how many these are."""

    lines: bytes
    rows: int
    kept_lines: bytes
    kept: int


def sift(folder: Folder, name: str, codes: list[str], target: Path) -> Progress:
    """Write the header of a CSV and its lines that hold one of `codes` to `target`.

    Killed and started again, it goes on from what it noted down beside `target`, unless the file
    has changed meanwhile. Memory does not grow with the file.

    Raises:
        Unavailable: if the file cannot be had.
        Damaged: if it is cut off, has a NUL in it, or is not what the server's checksum says.
    """
    note = target.with_name(f"{target.name}.note")
    fresh = Progress(f"{folder.address}/{name}", codes)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    with target.open("r+b") as result:
        try:
            return go_on(folder, name, read_note(note, fresh), result, note)
        except Changed:
            return go_on(folder, name, fresh, result, note)


def go_on(folder: Folder, name: str, done: Progress, result: IO[bytes], note: Path) -> Progress:
    """Sift from `done` to the end of the file."""
    if done.ended:
        persist(lambda: refuse_another(folder, name, done.version), ATTEMPTS)
        return done
    result.truncate(done.kept_bytes)
    result.seek(done.kept_bytes)
    blocks = Blocks(folder, name, done.read_bytes, done.version)
    lines = whole_lines(blocks.with_progress())
    if not done.read_bytes:
        header, rest = cut_header(next(lines, b""))
        result.write(header)
        done = begin(done, header)
        lines = chain([rest], lines)
    noted = done.read_bytes
    for found in search(lines, done.codes, done.commas):
        done = add(done, found, result)
        if done.read_bytes - noted >= NOTE_BYTES:
            noted = done.read_bytes
            write_note(note, replace(done, version=blocks.version), result)
    check_whole(blocks, done)
    done = replace(done, version=blocks.version, ended=True)
    write_note(note, done, result)
    return done


def refuse_another(folder: Folder, name: str, version: str) -> None:
    """Raise if a file is not of that version any more."""
    with folder.open(name, version=version):
        pass


def whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
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


def cut_header(lines: bytes) -> tuple[bytes, bytes]:
    """The first line, and the others."""
    end = lines.find(b"\n") + 1
    if not end:
        raise Damaged("it is empty")
    return lines[:end], lines[end:]


def begin(fresh: Progress, header: bytes) -> Progress:
    """How far it is after the header."""
    return replace(
        fresh,
        commas=header.count(b","),
        read_bytes=len(header),
        crc32c=google_crc32c.value(header),
        kept_bytes=len(header),
    )


def search(lines: Iterable[bytes], codes: list[str], commas: int) -> Iterator[Found]:
    """Find the lines of interest while the next ones are read; in order."""
    automaton = ahocorasick_rs.BytesAhoCorasick([code.encode() for code in codes])
    waiting: deque[Future[Found]] = deque()
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        for block in lines:
            waiting.append(pool.submit(find, block, automaton, commas))
            if len(waiting) > IN_FLIGHT:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def find(lines: bytes, automaton: ahocorasick_rs.BytesAhoCorasick, commas: int) -> Found:
    """The lines that hold a code; all, if commas and lines do not agree."""
    if (nul := lines.find(0)) >= 0:
        start = lines.rfind(b"\n", 0, nul) + 1
        raise Damaged(f"a NUL byte in the line that begins with {lines[start : start + 40]!r}")
    letters = np.frombuffer(lines, np.uint8)
    rows = int(np.count_nonzero(letters == ord("\n")))
    if np.count_nonzero(letters == ord(",")) != rows * commas:
        return Found(lines, rows, lines, rows)
    spans = list(line_spans(lines, automaton))
    return Found(lines, rows, b"".join(lines[start:end] for start, end in spans), len(spans))


def line_spans(
    lines: bytes, automaton: ahocorasick_rs.BytesAhoCorasick
) -> Iterator[tuple[int, int]]:
    """Where each line with a code begins and ends."""
    end = 0
    for _, position, _ in automaton.find_matches_as_indexes(lines):
        if position >= end:
            start = lines.rfind(b"\n", end, position) + 1 or end
            end = lines.index(b"\n", position) + 1
            yield start, end


def add(done: Progress, found: Found, result: IO[bytes]) -> Progress:
    """Keep what was found in the next lines."""
    result.write(found.kept_lines)
    return replace(
        done,
        read_bytes=done.read_bytes + len(found.lines),
        crc32c=google_crc32c.extend(done.crc32c, found.lines),
        rows=done.rows + found.rows,
        kept=done.kept + found.kept,
        kept_bytes=done.kept_bytes + len(found.kept_lines),
    )


def check_whole(blocks: Blocks, done: Progress) -> None:
    """Refuse a file that is not what the server says of it."""
    if blocks.size not in (None, done.read_bytes):
        raise Damaged(f"it ended after {done.read_bytes} of {blocks.size} bytes")
    if blocks.crc32c not in (None, done.crc32c):
        raise Damaged(f"its CRC-32C is {done.crc32c:08x}; the server says {blocks.crc32c:08x}")


def read_note(note: Path, fresh: Progress) -> Progress:
    """What was noted of a pass over the same address for the same codes, or `fresh`."""
    try:
        done = Progress(**json.loads(note.read_text()))
    except (OSError, ValueError, TypeError):
        return fresh
    same = (done.address, done.codes) == (fresh.address, fresh.codes)
    return done if same and done.version else fresh


def write_note(note: Path, done: Progress, result: IO[bytes]) -> None:
    """Note how far it is, once the result up to there is on disk."""
    result.flush()
    os.fsync(result.fileno())
    with replacing_file(note) as path:
        path.write_text(json.dumps(asdict(done)))
