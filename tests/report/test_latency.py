"""Times of models in turn: whose is whose. How long they take, no test says."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from dminity.evaluation.timing import Spread
from dminity.report import latency
from dminity.runtime.detector import load_onnx
from tests.helpers.onnx_models import write_bright_model


def test_each_time_is_its_models_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def numbered(
        works: Sequence[Callable[[], object]], _longest_s: float
    ) -> tuple[list[Spread], bool]:
        """In place of the clock: the place of a work among those that take turns."""
        for work in works:
            work()
        return [Spread(place, place + 0.5) for place in range(len(works))], False

    monkeypatch.setattr(latency, "spreads", numbered)
    write_bright_model(tmp_path / "model.onnx")
    detectors = {name: load_onnx(tmp_path / "model.onnx", 1) for name in ("a", "b")}
    found = latency.measure(detectors, np.zeros((48, 64, 3), np.uint8), 1)
    places = {
        name: (each.forward.median_ms, each.nms.median_ms, each.total.median_ms)
        for name, each in found.latencies.items()
    }
    assert places == {"a": (0, 2, 4), "b": (1, 3, 5)}
    assert (found.threads, found.busy) == (1, False)
