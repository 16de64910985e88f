"""What `-S key=value` makes of params.yaml, and what it is refused for."""

import shutil
from pathlib import Path

import pytest

from dminity.commands.changed_params import BadChange, changed_params
from dminity.core.parameters import BadParameter
from tests.helpers.project import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with this project's parameters."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


def test_changes_are_those_of_dvc(folder: Path) -> None:
    before = (folder / "params.yaml").read_text()
    changes = (
        "train.lr=1e-3", 'classes=["Kitchen & dining room table",Bed]',
        "+train.batch_schedule={0: 32, 20: 8}", "train.seed=3", "train.seed=4",
    )  # fmt: skip
    params = changed_params(folder, changes)
    assert params["train"]["lr"] == 0.001
    assert params["classes"] == ["Kitchen & dining room table", "Bed"]
    assert params["train"]["batch_schedule"] == {0: 32, 20: 8}
    assert params["train"]["seed"] == 4
    assert (folder / "params.yaml").read_text() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("network=yolox_s", "Could not override 'network'. The parameters are those of params"),
        ("train.lr=high", "train.lr is 'high'; it should be a valid number"),
        ("classes=[Bathtob]", "did you mean 'Bathtub'?"),
        ("~model", "model is missing"),
        ("+new=1", "unknown parameter new"),
        ("model", "is no key=value"),
        ("classes=[Kitchen & dining room table]", "in inner quotes"),
        ("model=yolox_s,yolox_m", "has several values"),
        ("other.yaml:model=yolox_s", "no parameters but those of params.yaml"),
    ],
)
def test_what_params_yaml_does_not_bear_is_said_in_a_line(
    folder: Path, change: str, said: str
) -> None:
    with pytest.raises(BadChange) as caught:
        changed_params(folder, ["train.epochs=3", change])
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"-S {change!r}")
    assert "\n" not in str(caught.value)


def test_what_is_wrong_without_a_change_is_no_fault_of_it(folder: Path) -> None:
    with (folder / "params.yaml").open("a") as file:
        file.write("new: 1\n")
    with pytest.raises(BadParameter, match="unknown parameter new"):
        changed_params(folder, ["model=yolox_s"])
