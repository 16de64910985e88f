"""What a detector costs, by clocks that the tests turn."""

import json
from pathlib import Path

import numpy as np
import pytest

from dminity.evaluation import cost, timing
from dminity.evaluation.cost import Latency
from dminity.evaluation.timing import LONGEST_S, interleaved_ms
from dminity.stages import evaluate
from tests.helpers.detectors import random_detector


class Clock:
    """A machine whose works take the time that they say, and whose processor is shared or not."""

    def __init__(self, processor_share: float = 1.0) -> None:
        self.now_s = 0.0
        self.processor_share = processor_share
        self.done: list[str] = []

    def work(self, name: str, *seconds: float) -> "Work":
        """A work that takes so long in its rounds, the last of them for ever."""
        return Work(self, name, list(seconds))

    def time_s(self) -> float:
        """The time."""
        return self.now_s

    def processor_s(self) -> float:
        """The time on a processor."""
        return self.now_s * self.processor_share


class Work:
    """One of the works."""

    def __init__(self, clock: Clock, name: str, seconds: list[float]) -> None:
        self.clock = clock
        self.name = name
        self.seconds = seconds

    def __call__(self) -> None:
        """Let the time pass."""
        self.clock.done.append(self.name)
        self.clock.now_s += self.seconds[0] if len(self.seconds) == 1 else self.seconds.pop(0)


def test_works_take_turns_after_a_warm_up_that_does_not_count() -> None:
    clock = Clock()
    works = [clock.work("a", 9.0, 0.001), clock.work("b", 9.0, 0.002)]
    times, share = interleaved_ms(
        works, timing.MOST_ROUNDS, LONGEST_S, clock.time_s, clock.processor_s
    )
    assert clock.done == ["a", "b"] * (1 + timing.MOST_ROUNDS)
    np.testing.assert_allclose(times, [[1.0] * timing.MOST_ROUNDS, [2.0] * timing.MOST_ROUNDS])
    assert share == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("seconds", "rounds"), [(100.0, timing.LEAST_ROUNDS), (1.0, 10), (0.5, 15)]
)
def test_a_slow_machine_gets_fewer_rounds_and_never_less_than_three(
    seconds: float, rounds: int
) -> None:
    clock = Clock()
    times, _ = interleaved_ms(
        [clock.work("a", seconds)], timing.MOST_ROUNDS, LONGEST_S, clock.time_s, clock.processor_s
    )
    assert len(times[0]) == rounds


@pytest.mark.parametrize(("share", "busy"), [(1.02, False), (0.97, False), (0.75, True)])
def test_a_processor_that_others_have_makes_a_figure_that_says_little(
    monkeypatch: pytest.MonkeyPatch, share: float, busy: bool
) -> None:
    monkeypatch.setattr(cost, "interleaved_ms", lambda _: ([[1.0, 3.0, 2.0]] * 3, share))
    found = cost.latency(random_detector(0), np.zeros((48, 64, 3), np.uint8))
    assert found[:3] == (2.0, 2.0, 2.0)
    assert found.threads >= 1
    assert found.busy is busy


def test_a_spread_is_the_median_and_what_only_one_of_twenty_exceeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = [float(ms) for ms in range(1, 102)]
    monkeypatch.setattr(timing, "interleaved_ms", lambda *_: ([times, [2.0] * 100], 0.5))
    found, busy = timing.spreads([])
    assert found == [(51.0, 96.0), (2.0, 2.0)]
    assert busy


@pytest.mark.parametrize("busy", [False, True])
def test_a_busy_machine_is_said_and_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], busy: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    evaluate.write_cost(Latency(1.0, 0.5, 1.60004, 2, busy))
    text = Path("metrics/cost.json").read_text()
    assert f'"busy": {"true" if busy else "false"}' in text
    written = json.loads(text)
    assert written == {
        "forward_ms": 1.0,
        "nms_ms": 0.5,
        "total_ms": 1.6,
        "threads": 2,
        "busy": busy,
    }
    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == busy
    assert all(line.startswith("note: metrics/cost.json: the machine was busy") for line in notes)
