"""Every mistake in params.yaml is one line that names the parameter and the mend."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dminity.core.amenities import NAMES
from dminity.core.parameters import BadParameter
from dminity.params import Params, load_params
from tests.helpers.project import ROOT


def write(folder: Path, name: str, value: Any) -> Path:
    """The project's params.yaml with one parameter changed (dotted name), in a folder."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    section = params
    *path, last = name.split(".")
    for part in path:
        section = section[part]
    section[last] = value
    changed = folder / "params.yaml"
    changed.write_text(yaml.safe_dump(params))
    return changed


def test_the_projects_own_parameters_are_good() -> None:
    assert isinstance(load_params(ROOT / "params.yaml"), Params)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("model", "yolox_xl", r"model is 'yolox_xl'; it should be 'yolox_nano', 'yolox_tiny'"),
        ("source", "coco", r"source is 'coco'; it should be 'demo' or 'openimages'"),
        (
            "classes",
            ["Bathtub", "Wine rak"],
            r"classes: 'Wine rak' is no amenity; did you mean 'Wi",
        ),
        ("classes", "Bathtub", r"classes: 'Bathtub' is neither `all` nor a list of amenities"),
        ("classes", [], r"classes: \[\] is neither `all` nor a list"),
        ("train.epochs", "ten", r"train.epochs is 'ten'; it should be a valid integer"),
        ("train.lr", "high", r"train.lr is 'high'; it should be a valid number"),
        ("train.flip", 1.5, r"train.flip is 1.5; it should be less than or equal to 1"),
        ("train.input_size", 250, r"train.input_size is 250; it should be a multiple of 32"),
        ("train.epoch", 3, r"unknown parameter train.epoch; did you mean 'epochs'"),
        ("limit", 3, r"unknown parameter limit"),
        ("openimages.partial", "yes", r"openimages.partial is 'yes'; it should be a valid boolean"),
        ("demo", 3, r"demo is 3; it should be a valid dictionary"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, name: str, value: Any, message: str) -> None:
    with pytest.raises(BadParameter, match=message) as caught:
        load_params(write(tmp_path, name, value))
    assert "\n" not in str(caught.value)


def test_numbers_as_dvc_writes_them_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    params = (ROOT / "params.yaml").read_text()
    path.write_text(re.sub(r"^  lr: .*$", "  lr: 1e-05", params, flags=re.MULTILINE))
    assert load_params(path).train.lr == 0.00001


def test_a_missing_parameter_is_named(tmp_path: Path) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    del params["train"]["seed"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(BadParameter, match=r"train\.seed is missing; .* add it"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("content", ["a: [", "", "- 1"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "params.yaml").write_text(content)
    with pytest.raises(BadParameter, match=r"params\.yaml"):
        load_params(tmp_path / "params.yaml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match=r"params\.yaml: no such file; get it back"):
        load_params(tmp_path / "params.yaml")


def test_all_means_every_class_and_a_list_keeps_the_models_order(tmp_path: Path) -> None:
    assert load_params(write(tmp_path, "classes", "all")).classes == NAMES
    chosen = load_params(write(tmp_path, "classes", ["Towel", "Toilet", "Towel"])).classes
    assert chosen == ("Toilet", "Towel")
