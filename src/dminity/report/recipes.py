"""Trainings of one recipe: variants that differ in nothing but `train.seed`."""

import json
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dminity.core.stage import MODEL
from dminity.report.variants import NotAtHand, Variant

LOCK = Path("dvc.lock")
# The stage `train` in dvc.lock, which is too long to be parsed as a whole for every variant.
TRAIN = re.compile(r"^  train:\n(?:    .*\n)+", re.MULTILINE)
# Sections that are read from `train` on. What the others came to is known by the data's checksum: a
# larger limit that brings no other photo makes no other recipe.
SECTIONS = ("model", "train", "evaluate", "export")


@dataclass(frozen=True)
class OverSeeds:
    """A figure of several trainings: mean, standard deviation (NaN of one), count."""

    mean: float
    deviation: float
    count: int


@dataclass(frozen=True)
class Recipe:
    """A recipe, and what was trained by it, each training once.

    repeats: further variants that hold one of these trainings, to the same weights.
    """

    trainings: tuple[Variant, ...]
    repeats: tuple[Variant, ...] = ()

    @property
    def name(self) -> str:
        """The name of its first training, and how many there are."""
        first, count = self.trainings[0].name, len(self.trainings)
        return first if count == 1 else f"{first} ({count} seeds)"

    def variants(self) -> tuple[Variant, ...]:
        """All of them, also those that hold the same training."""
        return self.trainings + self.repeats

    def over_seeds(self, figure: str) -> OverSeeds | None:
        """A figure over the trainings that have it; None if none has."""
        values = [value for each in self.trainings if (value := each.figure(figure)) is not None]
        if not values:
            return None
        deviation = statistics.stdev(values) if len(values) > 1 else float("nan")
        return OverSeeds(statistics.fmean(values), deviation, len(values))


def recipes(variants: Sequence[Variant]) -> list[Recipe]:
    """Group variants by data, code of training, and parameters from there on but `train.seed`.

    Their order is kept, by the first of each.
    """
    grouped: dict[object, dict[object, list[Variant]]] = {}
    for variant in variants:
        recipe, training = _identity(variant)
        grouped.setdefault(recipe, {}).setdefault(training, []).append(variant)
    return [
        Recipe(
            tuple(same[0] for same in trainings.values()),
            tuple(other for same in trainings.values() for other in same[1:]),
        )
        for trainings in grouped.values()
    ]


def _identity(variant: Variant) -> tuple[object, object]:
    """What tells a variant's recipe from others, and what its training from others of it."""
    stage = _train_stage(variant)
    # Without what it was made of, nothing but its commit is known.
    if not variant.params or not variant.figures or not stage:
        return variant.rev, variant.rev
    settings = {name: variant.params.get(name) for name in SECTIONS}
    seed = variant.param("train.seed")
    if isinstance(train := settings["train"], Mapping):
        settings["train"] = {name: value for name, value in train.items() if name != "seed"}
    read = {item.get("path"): item.get("md5") for item in stage.get("deps", ())}
    made = {item.get("path"): item.get("md5") for item in stage.get("outs", ())}
    recipe = json.dumps([settings, read], sort_keys=True, default=str)
    return recipe, (seed, made.get(MODEL.as_posix()))


def _train_stage(variant: Variant) -> Mapping[str, Any]:
    """What dvc.lock says of the training; nothing where it is not there."""
    try:
        found = TRAIN.search(variant.read(LOCK).decode())
    except (NotAtHand, UnicodeDecodeError):
        return {}
    try:
        stage = YAML(typ="safe", pure=True).load(found[0])["train"] if found else {}
    # As after a merge that left its marks.
    except YAMLError:
        return {}
    return dict(stage)
