"""What evaluate.json and per_class.csv say."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from dminity.detection.detections import Detections, GroundTruth
from dminity.evaluation.summary import Evaluation, Photos, class_table, evaluate, figures
from tests.helpers.evaluation_cases import (
    BED,
    RANDOM_CLASSES,
    SINK,
    as_published,
    found,
    random_photos,
    truth,
)

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
    assert table.loc["Pillow", "boxes"] == 0
    figures_of_classes = table.drop(columns=["photos", "boxes", "openimages.boxes"])
    assert figures_of_classes.isna().all(axis=1)["Pillow"]


BOXES = [truth(BED, SINK), truth(BED)]
RIGHT = [found((*BED, 0.9)), found((*BED, 0.5))]
ALARM = (400.0, 400.0, 450.0, 450.0, 1, 0.5)
NOTHING_THERE = [truth(), truth()]
# By what is in two photos and what was found there: the AP50 of each protocol.
POOR_INPUTS = {
    "no detections": (BOXES, [found(), found()], (0, 0, 0)),
    "nothing there": (NOTHING_THERE, RIGHT, (None, None, None)),
    "nothing there or found": (NOTHING_THERE, [found(), found()], (None, None, None)),
    "only ignored boxes": ([truth(BED, ignored=(0,))] * 2, RIGHT, (None, None, 1)),
    # The sinks are labeled as absent where they were found, but in no photo is there one.
    "an absent class": ([truth(BED), truth(BED)], [found((*BED, 0.9), ALARM)] * 2, (1, 1, 1)),
    "equal scores": (BOXES, [found((*BED, 0.5), (*SINK, 0.5))] * 2, (1, 1, 1)),
}


@pytest.mark.parametrize(
    ("truths", "detections", "expected"), POOR_INPUTS.values(), ids=POOR_INPUTS
)
def test_poor_inputs_have_figures_or_null(
    truths: list[GroundTruth],
    detections: list[Detections],
    expected: tuple[float | None, ...],
) -> None:
    published, table = as_published(truths, detections, RANDOM_CLASSES)
    evaluation = evaluate(Photos(truths, detections, published, table, RANDOM_CLASSES))
    of_protocols = figures(evaluation)
    for name, ap50 in zip(("coco", "voc", "openimages"), expected, strict=True):
        limits = [of_protocols[name][f"AP50{limit}"] for limit in ("", "_low", "_high")]
        assert limits[0] == pytest.approx(ap50)
        assert limits == [None] * 3 or all(0 <= value <= 1 for value in limits if value is not None)
    json.dumps(of_protocols, allow_nan=False)
    assert len(class_table(evaluation)) == len(RANDOM_CLASSES)


def test_photos_without_a_verified_label_are_scored_by_their_boxes() -> None:
    truths, detections = [truth(BED), truth()], [found((*BED, 0.8)), found((*BED, 0.9))]
    published, table = as_published(truths, detections, RANDOM_CLASSES)
    unlabeled = replace(published, verified=published.verified[:0])
    of_protocols = figures(evaluate(Photos(truths, detections, unlabeled, table, RANDOM_CLASSES)))
    # In the second photo nobody looked for a bed: for two protocols that is a false alarm.
    assert [of_protocols[name]["AP50"] for name in ("coco", "voc", "openimages")] == [0.5, 0.5, 1]


def test_what_is_unknown_is_null() -> None:
    published, table = as_published([truth()], [found()], RANDOM_CLASSES)
    none = evaluate(Photos([truth()], [found()], published, table, RANDOM_CLASSES))
    found_all = figures(none)
    for each in found_all.values():
        assert each.pop("boxes") == 0
        assert set(each.values()) == {None}
    assert "NaN" not in json.dumps(found_all)
    assert isinstance(class_table(none), pd.DataFrame)
