"""Progress on a terminal and without one."""

import io
import re
import sys

import pytest

from dminity.core import progress
from dminity.core.progress import Progress


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


Log = pytest.CaptureFixture[str]


def test_without_a_terminal_every_tenth_is_a_line(
    capsys: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SHORTEST_PAUSE_S", 0.0)
    assert list(Progress("resize", range(200), 200)) == list(range(200))
    log = capsys.readouterr().err
    lines = log.splitlines()
    assert "\r" not in log
    found = [
        re.match(r"resize: (\d+)%, (\d+) of 200, .*photo/s, [\d:]+ left$", line) for line in lines
    ]
    assert [match and match[1] for match in found] == [str(share) for share in range(10, 101, 10)]


def test_a_quick_stage_is_one_line(capsys: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SHORTEST_PAUSE_S", 1e9)
    monkeypatch.setattr(progress, "LONGEST_PAUSE_S", 1e9)
    list(Progress("voc", range(50), 50))
    assert [line[:21] for line in capsys.readouterr().err.splitlines()] == ["voc: 100%, 50 of 50, "]


def test_long_work_is_not_silent(capsys: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LONGEST_PAUSE_S", 0.0)
    with Progress[None]("boxes.csv", unit="B", initial=500) as work:
        work.update(1_000_000)
        work.total = 4_000_000
        work.update(1_000_000)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("boxes.csv: 1.00M, ")
    assert second.startswith("boxes.csv: 50%, 2.00M of 4.00M, ")


def test_work_that_fails_claims_no_end(capsys: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SHORTEST_PAUSE_S", 1e9)
    with pytest.raises(ZeroDivisionError):
        list(Progress("voc", (1 // (2 - number) for number in range(3)), 3))
    assert capsys.readouterr().err == ""


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(Progress("resize", iter("abc"), 3)) == ["a", "b", "c"]
    assert "resize: 100%|" in terminal.getvalue()
    assert "\r" in terminal.getvalue()
