"""The train stage: what it makes of params.yaml before a training begins."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from dminity.network.detector import build_network, save_detector
from dminity.stages import train
from dminity.training.filters import FRESH_NORM
from tests.helpers.project import ROOT
from tests.helpers.room_folder import make_room_folder

FOUND: dict[str, Any] = {}


@contextmanager
def nothing_trained(network: nn.Module, settings: Any, *_: object) -> Iterator[None]:
    """What a training would begin with, in place of one."""
    FOUND.update(network=network, settings=settings)
    yield None


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with photos and the parameters as they come."""
    make_room_folder(tmp_path / "data/voc", {"train": 3, "validation": 1})
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, "trained", nothing_trained)
    FOUND.clear()
    return tmp_path


def change(project: Path, **changes: object) -> None:
    """Set parameters of the section `train`."""
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["train"] |= changes
    (project / "params.yaml").write_text(yaml.safe_dump(params))


def classes_of(project: Path) -> tuple[str, ...]:
    """Those of the photos."""
    return tuple((project / "data/voc/classes.txt").read_text().splitlines())


def lengths(network: nn.Module) -> torch.Tensor:
    """The norms of the filters of its first layer."""
    return network.backbone.backbone.stem.conv.conv.weight.detach().flatten(1).norm(dim=1)  # type: ignore[no-any-return, union-attr, operator]


def test_trained_weights_need_no_other_parameter(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = build_network("yolox_nano", len(classes_of(project)))
    network.backbone.backbone.stem.conv.conv.weight.data *= 1e-3
    weights = network.state_dict()
    save_detector(weights, "yolox_nano", classes_of(project), (128, 128), project / "own.pth")
    change(project, pretrained="own.pth", batch_size=2)
    train.main()
    settings = FOUND["settings"]
    assert (settings.input_size, settings.epochs, settings.freeze) == (128, 24, 24)
    said = capsys.readouterr().err
    assert "note: train, where it says auto, for trained weights and 3 training photos: " in said
    assert "input_size=128, " in said
    assert lengths(FOUND["network"]).tolist() == pytest.approx([FRESH_NORM] * 16, rel=1e-4)


def test_from_scratch_filters_stay_as_they_were_drawn(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(project, seed=5)
    train.main()
    torch.manual_seed(5)
    drawn = build_network("yolox_nano", len(classes_of(project)))
    assert torch.equal(lengths(FOUND["network"]), lengths(drawn))
    assert FOUND["settings"].optimizer == "muon"
    assert "from scratch and 3 training photos" in capsys.readouterr().err
    # All is set: nothing is to be said.
    change(project, **FOUND["settings"].model_dump())
    train.main()
    assert "auto" not in capsys.readouterr().err
