"""Trainings of one recipe are one variant."""

import math
from pathlib import Path
from typing import Any

import pytest

from dminity.report.recipes import recipes
from dminity.report.variants import Variant
from tests.helpers.variants import variant_of

LOCK = """schema: '2.0'
stages:
  resize:
    cmd: other
  train:
    cmd: train
    deps:
    - path: data/voc
      md5: {data}
    outs:
    - path: models/model.pth
      md5: {weights}
  voc:
    cmd: other
"""


def trained(
    folder: Path,
    name: str,
    seed: int,
    ap: float,
    data: str = "d",
    weights: str = "",
    lr: float = 0.1,
    limit: int = 200,
) -> Variant:
    """A variant of a training."""
    (folder / name).mkdir()
    (folder / name / "dvc.lock").write_text(LOCK.format(data=data, weights=weights or name))
    params: dict[str, Any] = {"model": "yolox_nano", "train": {"seed": seed, "lr": lr}}
    params["limit_per_class"] = limit
    return variant_of(folder / name, params=params, figures={"coco": {"AP": ap}})


def test_seeds_of_one_recipe_are_one_variant(tmp_path: Path) -> None:
    one, other, third = (
        trained(tmp_path, name, seed, ap)
        for name, seed, ap in (("a", 1, 0.4), ("b", 2, 0.5), ("c", 3, 0.6))
    )
    (found,) = recipes([one, other, third])
    assert found.name == "a (3 seeds)"
    spread = found.over_seeds("coco.AP")
    assert spread is not None
    assert spread.count == 3
    assert spread.mean == pytest.approx(0.5)
    assert spread.deviation == pytest.approx(0.1)
    assert found.over_seeds("voc.AP50") is None


def test_other_parameters_data_or_code_are_other_recipes(tmp_path: Path) -> None:
    variants = [
        trained(tmp_path, "a", 1, 0.4),
        trained(tmp_path, "b", 2, 0.4, lr=0.2),
        trained(tmp_path, "c", 3, 0.4, data="other"),
    ]
    assert [found.name for found in recipes(variants)] == ["a", "b", "c"]
    deviation = recipes(variants)[0].over_seeds("coco.AP")
    assert deviation is not None
    assert math.isnan(deviation.deviation)


def test_the_same_training_counts_once(tmp_path: Path) -> None:
    one, again = (trained(tmp_path, name, 1, 0.4, weights="w") for name in ("a", "b"))
    (found,) = recipes([one, again])
    assert (found.name, found.repeats) == ("a", (again,))
    assert found.variants() == (one, again)
    # A limit that brings no other photo changes nothing.
    unlimited = trained(tmp_path, "all", 1, 0.4, weights="w", limit=0)
    assert recipes([one, unlimited])[0].repeats == (unlimited,)
    # Another machine rounds otherwise.
    elsewhere = trained(tmp_path, "c", 1, 0.5)
    assert recipes([one, elsewhere])[0].name == "a (2 seeds)"


def test_what_has_no_parameters_or_figures_is_a_recipe_of_its_own(tmp_path: Path) -> None:
    bare = [variant_of(tmp_path, name) for name in ("a", "b")]
    assert [found.name for found in recipes(bare)] == ["a", "b"]
    # What a training was made of is not known without dvc.lock, nor from a damaged one.
    said: dict[str, Any] = {"params": {"train": {"seed": 1}}, "figures": {"images": 1}}
    unlocked = [variant_of(tmp_path, name, **said) for name in ("a", "b")]
    assert [found.name for found in recipes(unlocked)] == ["a", "b"]
    (tmp_path / "dvc.lock").write_text(LOCK.replace("    cmd: train", "    =======\n    cmd: ["))
    assert [found.name for found in recipes(unlocked)] == ["a", "b"]
