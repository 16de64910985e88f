"""What evaluate.json and per_class.csv say."""

import json

import pandas as pd
import pytest

from dminity.evaluation.summary import Evaluation, Photos, class_table, evaluate, figures
from tests.helpers.evaluation_cases import RANDOM_CLASSES, as_published, found, random_photos, truth

COCO = {"AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR1", "AR10", "AR100"}
COCO |= {"AR_small", "AR_medium", "AR_large", "precision", "recall", "boxes"}
COCO |= {f"{name}_{limit}" for name in ("AP", "AP50") for limit in ("low", "high")}
VOC = {"AP50", "AP50_low", "AP50_high", "boxes"}


@pytest.fixture(scope="module")
def evaluated() -> Evaluation:
    """Some photos, by all protocols."""
    truths, detections = random_photos(2)
    published, table = as_published(truths, detections, RANDOM_CLASSES)
    return evaluate(Photos(truths, detections, published, table, RANDOM_CLASSES))


def test_every_figure_has_its_protocol(evaluated: Evaluation) -> None:
    found_all = figures(evaluated)
    assert {name: set(each) for name, each in found_all.items()} == {
        "coco": COCO,
        "voc": VOC,
        "openimages": VOC | {"AP50_groups_ignored"},
    }
    for each in found_all.values():
        assert each["AP50_low"] < each["AP50"] < each["AP50_high"]  # type: ignore[operator]


def test_every_class_has_its_figures(evaluated: Evaluation) -> None:
    table = class_table(evaluated).set_index("class")
    assert list(table.index) == list(RANDOM_CLASSES)
    for name in ("coco.AP", "coco.AP50", "voc.AP50", "openimages.AP50"):
        bed = [float(table[column]["Bed"]) for column in (f"{name}_low", name, f"{name}_high")]
        assert bed == sorted(bed)
    assert table["boxes"].sum() == figures(evaluated)["coco"]["boxes"]
    # No photo shows it.
    assert table.loc["Sofa bed", "boxes"] == 0
    figures_of_classes = table.drop(columns=["photos", "boxes", "openimages.boxes"])
    assert figures_of_classes.isna().all(axis=1)["Sofa bed"]


def test_what_is_unknown_is_null() -> None:
    published, table = as_published([truth()], [found()], RANDOM_CLASSES)
    none = evaluate(Photos([truth()], [found()], published, table, RANDOM_CLASSES))
    found_all = figures(none)
    for each in found_all.values():
        assert each.pop("boxes") == 0
        assert set(each.values()) == {None}
    assert "NaN" not in json.dumps(found_all)
    assert isinstance(class_table(none), pd.DataFrame)
