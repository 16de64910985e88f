"""One table out of three buckets."""

import pandas as pd
import pytest

from dminity.core.amenities import NAMES
from dminity.core.splits import SPLITS
from dminity.data import tables
from dminity.data.merging import FAULTS, BadMerge, Merged, count, merge
from dminity.data.settings import MarkedPolicies
from dminity.params import load_params
from tests.helpers.project import ROOT

BOX = {"xmin": 0.1, "xmax": 0.5, "ymin": 0.1, "ymax": 0.5}
UNMARKED = dict.fromkeys(tables.FLAGS, False)
MARKED = load_params(ROOT / "params.yaml").marked


def images(*ids_and_splits: tuple[str, str]) -> pd.DataFrame:
    """A table of images."""
    return pd.DataFrame(ids_and_splits, columns=["image_id", "split"])


def boxes(*rows: tuple[str, str, str], **values: float | bool | None) -> pd.DataFrame:
    """A table of boxes: (image id, split, label), all with the same corners and marks."""
    table = pd.DataFrame(rows, columns=["image_id", "split", "label"])
    table = table.assign(**(BOX | UNMARKED | values))
    return table.astype(dict.fromkeys(tables.FLAGS, "boolean"))


ONE_EACH = images(("a", "train"), ("b", "validation"), ("c", "test"))
BEDS = boxes(("a", "train", "Bed"), ("b", "validation", "Bed"), ("c", "test", "Bed"))
NOTHING = pd.DataFrame(columns=tables.VERIFIED.names)


def merged(
    some: pd.DataFrame,
    photos: pd.DataFrame = ONE_EACH,
    classes: tuple[str, ...] = NAMES,
    marked: MarkedPolicies = MARKED,
    hierarchy: bool = True,
) -> Merged:
    """Merge boxes of which nothing else is known."""
    return merge(some, NOTHING, photos, classes, marked, hierarchy)


def test_a_class_filter_keeps_its_boxes_and_the_images_that_show_them() -> None:
    table = pd.concat([BEDS, boxes(("a", "train", "Sink"), ("d", "train", "Sink"))])
    found = merged(table, pd.concat([ONE_EACH, images(("d", "train"))]), ("Bed",))
    assert list(found.images["image_id"]) == ["a", "b", "c"]
    assert list(found.boxes["label"]) == ["Bed"] * 3
    assert found.no_box.empty, "an image of other classes is not asked for"


def test_boxes_of_images_that_were_not_fetched_are_left_out() -> None:
    found = merged(pd.concat([BEDS, boxes(("z", "train", "Bed"))]))
    assert list(found.boxes["image_id"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("fault", "corners"),
    [
        ("thin", {"xmin": 0.5, "xmax": 0.5}),
        ("thin", {"ymin": 0.5, "ymax": 0.5 + 0.5 / 1024}),
        ("reversed", {"ymin": 0.6, "ymax": 0.5}),
        ("outside", {"xmax": 1.01}),
        ("outside", {"xmin": -0.01}),
        ("outside", {"ymin": float("nan")}),
    ],
)
def test_boxes_that_show_nothing_are_left_out_and_counted(
    fault: str, corners: dict[str, float]
) -> None:
    bad = boxes(("a", "train", "Sink"), ("d", "train", "Sink"), **corners)
    found = merged(pd.concat([BEDS, bad]), pd.concat([ONE_EACH, images(("d", "train"))]))
    assert list(found.boxes["label"]) == ["Bed"] * 3
    assert found.left_out == dict.fromkeys(FAULTS, 0) | {fault: 2}
    assert found.no_box[["image_id", "reason"]].to_numpy().tolist() == [["d", "no box left"]]


def test_by_default_groups_are_ignored() -> None:
    groups = boxes(*BEDS[["image_id", "split", "label"]].to_numpy(), is_group_of=True)
    found = merged(pd.concat([BEDS, groups]))
    rows = sorted(zip(found.boxes["split"], found.boxes["difficult"], strict=True))
    assert rows == [(split, ignored) for split in sorted(SPLITS) for ignored in (False, True)]
    assert found.left_out["marked"] == 0


def test_a_photo_of_ignored_boxes_alone_is_evaluated_and_not_trained_on() -> None:
    groups = boxes(("d", "train", "Bed"), ("e", "validation", "Bed"), is_group_of=True)
    photos = pd.concat([ONE_EACH, images(("d", "train"), ("e", "validation"))])
    found = merged(pd.concat([BEDS, groups]), photos)
    assert sorted(found.images["image_id"]) == ["a", "b", "c", "e"]
    assert sorted(found.boxes["image_id"]) == ["a", "b", "c", "e"]
    assert found.no_box[["image_id", "reason"]].to_numpy().tolist() == [
        ["d", "ignored boxes alone"]
    ]
    assert found.left_out == dict.fromkeys(FAULTS, 0) | {"ignored alone": 1}


@pytest.mark.parametrize("flag", tables.FLAGS)
@pytest.mark.parametrize("fate", ["keep", "ignore", "drop"])
@pytest.mark.parametrize("purpose", ["training", "evaluation"])
def test_each_mark_has_the_fate_that_is_chosen(flag: str, fate: str, purpose: str) -> None:
    kept = {"training": "keep", "evaluation": "keep"}
    fates = {name: dict(kept) for name in tables.FLAGS}
    fates[flag][purpose] = fate
    elsewhere: dict[str, float | bool | None] = {flag: True, "xmax": 0.9}
    marks = boxes(*BEDS[["image_id", "split", "label"]].to_numpy(), **elsewhere)
    found = merged(pd.concat([BEDS, marks]), marked=MarkedPolicies.model_validate(fates)).boxes
    concerned = found[(found["split"] == "train") == (purpose == "training")]
    splits = 1 if purpose == "training" else 2
    assert len(concerned) == (splits if fate == "drop" else 2 * splits)
    assert concerned["difficult"].sum() == (splits if fate == "ignore" else 0)
    others = found[(found["split"] == "train") != (purpose == "training")]
    assert not others["difficult"].any()


def test_the_strictest_of_several_marks_counts_and_an_unknown_one_does_not() -> None:
    fates = {name: {"training": "keep", "evaluation": "ignore"} for name in tables.FLAGS}
    fates["is_inside"]["evaluation"] = "drop"
    both = boxes(("c", "test", "Bed"), is_group_of=True, is_inside=True)
    unknown = boxes(("c", "test", "Sink"), is_inside=None)
    found = merged(
        pd.concat([BEDS, both, unknown]), marked=MarkedPolicies.model_validate(fates)
    ).boxes
    assert list(found["label"]) == ["Bed", "Bed", "Bed", "Sink"]
    assert not found["difficult"].any()


def test_what_is_verified_of_the_images_and_classes_is_carried_through() -> None:
    rows = [
        ("a", "train", "Bed", True),
        ("a", "train", "Sink", False),
        ("a", "train", "Oven", False),
        ("z", "train", "Bed", True),
    ]
    verified = pd.DataFrame(rows, columns=tables.VERIFIED.names)
    found = merge(BEDS, verified, ONE_EACH, ("Bed", "Sink"), MARKED, hierarchy=True).verified
    drawn = [[image_id, split, "Bed", True] for image_id, split in ONE_EACH.to_numpy()]
    assert sorted(found.to_numpy().tolist()) == sorted([*drawn, list(rows[1])])


def test_a_kind_of_a_class_counts_as_that_class_unless_it_is_one_itself() -> None:
    table = pd.concat(
        [BEDS, boxes(("a", "train", "Sofa bed")), boxes(("a", "train", "Couch"), xmax=0.9)]
    )
    assert list(merged(table).boxes["label"]) == ["Bed"] * 3 + ["Sofa bed", "Couch"]
    couches = merged(table, classes=("Bed", "Couch")).boxes
    assert list(couches["label"]) == ["Bed"] * 3 + ["Couch"] * 2
    flat = merged(table, classes=("Bed", "Couch"), hierarchy=False).boxes
    assert list(flat["label"]) == ["Bed"] * 3 + ["Couch"]


def test_a_thing_that_was_published_under_two_names_has_one_box() -> None:
    couch, sofa_bed = ("a", "train", "Couch"), ("a", "train", "Sofa bed")
    for right, count_of_couches in ((0.51, 1), (0.53, 2)):
        table = pd.concat([BEDS, boxes(couch), boxes(sofa_bed, xmax=right)], ignore_index=True)
        found = merged(table, classes=("Bed", "Couch"))
        assert list(found.boxes["label"]) == ["Bed"] * 3 + ["Couch"] * count_of_couches
        assert found.left_out["double"] == 2 - count_of_couches
    # Two classes; by its own name alone, nothing is drawn twice.
    assert merged(table).left_out["double"] == 0
    twice = pd.concat([BEDS, boxes(couch, couch)])
    assert merged(twice, hierarchy=False).left_out["double"] == 0
    # A third one, which is not next to the first in its group.
    three = pd.concat([boxes(couch, xmax=right) for right in (0.5, 0.9, 0.5)])
    assert list(merged(pd.concat([BEDS, three])).boxes["xmax"]) == [0.5] * 3 + [0.5, 0.9]


def test_an_image_in_two_splits_is_refused() -> None:
    with pytest.raises(BadMerge, match="image a comes twice, in train and test; remove data/index"):
        merged(BEDS, pd.concat([ONE_EACH, images(("a", "test"))]))


def test_an_empty_split_is_refused() -> None:
    with pytest.raises(BadMerge, match="no test image shows any of: Bed; choose more classes"):
        merged(BEDS[BEDS["split"] != "test"], classes=("Bed",))


def test_a_split_of_ignored_boxes_alone_is_refused_by_what_it_lacks() -> None:
    group = boxes(("a", "train", "Bed"), is_group_of=True)
    with pytest.raises(BadMerge, match="no train image has a box to use of any of: Bed;"):
        merged(pd.concat([BEDS[BEDS["split"] != "train"], group]), classes=("Bed",))


def test_counts() -> None:
    table = pd.concat([BEDS, boxes(("a", "train", "Bed"), xmax=0.9)])
    counts = count(merged(table, classes=("Bed", "Sink")), ("Bed", "Sink"))
    assert counts["images"] == {"train": 1, "validation": 1, "test": 1}
    assert counts["boxes"] == {"train": 2, "validation": 1, "test": 1}
    assert counts["per_class"]["Bed"]["train"] == {"images": 1, "boxes": 2}
    assert counts["per_class"]["Sink"]["test"] == {"images": 0, "boxes": 0}
