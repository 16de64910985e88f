"""A first sign within half a minute, which changes nothing."""

from pathlib import Path

import pytest
import torch

from dminity.training import first_sign
from tests.helpers.training_runs import results, run

pytestmark = pytest.mark.slow

# All that draws at random, and statistics that follow the photos.
MIXED = {"mosaic": 0.5, "mixup": 0.5, "multiscale": 1, "input_size": 64}


def test_a_first_sign_comes_early_and_changes_nothing(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(first_sign, "SECONDS", float("inf"))
    expected = run(rooms, tmp_path / "silent", **MIXED)
    assert "first sign" not in capsys.readouterr().err

    monkeypatch.setattr(first_sign, "SECONDS", 0.0)
    monkeypatch.setattr(first_sign, "FEWEST_STEPS", 2)
    weights = run(rooms, tmp_path / "telling", **MIXED)
    printed = capsys.readouterr().err
    (said,) = (line for line in printed.splitlines() if line.startswith("first sign"))
    assert said.startswith("first sign, after 2 steps: loss ")
    assert said.endswith(" on 5 validation photos")
    assert printed.index(said) < printed.index("epoch 1 of 2")

    for name, value in expected.items():
        assert torch.equal(weights[name], value), name
    assert results(tmp_path / "telling" / "live") == results(tmp_path / "silent" / "live")
