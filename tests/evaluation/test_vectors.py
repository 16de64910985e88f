"""Sixty cases, to the figures of the reference implementations of all three protocols."""

import json
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from dminity.core import hierarchy
from dminity.evaluation import coco, openimages, pascal_voc
from dminity.evaluation.matches import Matches, average_precision, mean_of_known
from tests.helpers.evaluation_vectors import FILES, VECTORS, Vector, needs_vectors, read_vector

TOLERANCE = 1e-6
EVALUATORS: dict[str, tuple[Literal[0, 1], bool]] = {
    "challenge_w1": (1, True),
    "challenge_w0": (0, True),
    "v2_w1": (1, False),
    "v2_w0": (0, False),
}


def same(found: float, expected: float | None) -> bool:
    """Whether a figure is the expected one; None is undefined."""
    return bool(np.isnan(found)) if expected is None else abs(found - expected) <= TOLERANCE


def assert_equal(matches: Matches, expected: dict[str, Any], classes: tuple[str, ...]) -> None:
    """AP and counts of each class, and the mean."""
    found = average_precision(matches)[0, :, 0]
    for position, name in enumerate(classes):
        own, right, wanted = matches.class_ids == position, matches.right[0], expected["classes"]
        counts = {
            "positives": matches.positives[:, position].sum(),
            "tp": (right & own).sum(),
            "fp": (matches.listed[0] & ~right & own).sum(),
        }
        # They say where a difference comes from.
        assert counts == {count: wanted[name][count] for count in counts}, name
        assert same(found[position], wanted[name]["ap"]), name
    assert same(mean_of_known(found), expected["mean_ap"])


def assert_within(matches: Matches, any_order: dict[str, Any], classes: tuple[str, ...]) -> None:
    """AP as in some order of the equal scores."""
    for name, (lowest, highest) in any_order.items():
        found = average_precision(matches)[0, classes.index(name), 0]
        assert lowest - TOLERANCE <= found <= highest + TOLERANCE, name


@needs_vectors
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_open_images(path: Path) -> None:
    vector = read_vector(path)
    for given, (name, (weight, verified)) in product(("flat", "hierarchy"), EVALUATORS.items()):
        rules = openimages.Rules(weight, verified, given == "hierarchy")
        matches = openimages.match(vector.published, vector.table, vector.classes, rules)
        if vector.has_ties:
            assert_within(matches, vector.content["any_order"], vector.classes)
        else:
            expected = vector.content["expected"]["openimages"][given][name]
            assert_equal(matches, expected, vector.classes)


def unrelated(vector: Vector) -> tuple[str, ...]:
    """Other names of the classes: these protocols themselves know of no kinds."""
    return tuple(f"class {number}" for number in range(len(vector.classes)))


@needs_vectors
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_pascal_voc(path: Path) -> None:
    vector = read_vector(path)
    matches = pascal_voc.match(vector.truths, vector.detections, unrelated(vector))
    if vector.has_ties:
        assert_within(matches, vector.content["any_order"], vector.classes)
    else:
        assert_equal(matches, vector.content["expected"]["voc"], vector.classes)


@needs_vectors
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_coco(path: Path) -> None:
    vector = read_vector(path)
    expected = vector.content["expected"]["coco"]
    figures = coco.figures(vector.truths, vector.detections, unrelated(vector))
    assert set(figures) == set(expected) - {"classes"}
    for name, figure in figures.items():
        assert same(figure, expected[name]), name
    matches = coco.match(vector.truths, vector.detections, unrelated(vector))
    found = average_precision(matches)[:, :, 0]
    for position, name in enumerate(vector.classes):
        assert same(found[:, position].mean(), expected["classes"][name]["ap"]), name
        assert same(found[coco.IOU_50, position], expected["classes"][name]["ap50"]), name


@needs_vectors
def test_the_hierarchy_is_the_published_one() -> None:
    published = json.loads((VECTORS / "hierarchy.json").read_text(encoding="utf-8"))
    for name in published["evaluated"] + published["read_but_not_evaluated"]:
        expected = {
            name,
            *published["parents"].get(name, ()),
            *published["ancestors_beyond_the_34"].get(name, ()),
        }
        assert set(hierarchy.with_ancestors(name)) == expected


def test_all_sixty_are_there_if_any_is() -> None:
    assert len(FILES) in (0, 60)
