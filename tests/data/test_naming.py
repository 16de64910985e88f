"""The hierarchy, applied to what is published."""

import pandas as pd
import pytest

from dminity.core.amenities import NAMES
from dminity.data import naming, tables

Said = set[tuple[str, bool]]


def boxes(*labels: str) -> pd.DataFrame:
    """Boxes in one photo."""
    table = pd.DataFrame({"image_id": "a", "split": "train", "label": list(labels)})
    return table.assign(xmin=range(len(labels)))


def said(*answers: tuple[str, bool]) -> pd.DataFrame:
    """What people say of one photo."""
    rows = [("a", "train", label, present) for label, present in answers]
    return pd.DataFrame(rows, columns=tables.VERIFIED.names)


def as_set(verified: pd.DataFrame) -> Said:
    """Classes and answers of one photo, of which none is there twice."""
    rows = list(zip(verified["label"], verified["present"], strict=True))
    assert len(set(rows)) == len(rows)
    return {(label, bool(present)) for label, present in rows}


def known(answers: pd.DataFrame, *labels: str, hierarchy: bool = True) -> Said:
    """What is agreed on in a photo with sound boxes of some classes."""
    drawn = boxes(*labels)
    sound = pd.Series(True, drawn.index)
    return as_set(naming.agreed(answers, drawn, sound, hierarchy))


def test_boxes_go_by_the_nearest_name_and_stay_as_many() -> None:
    labels = ("Loveseat", "Sofa bed", "Studio couch", "Table", "Infant bed", "Bed", "Furniture")
    found = naming.named(boxes(*labels), NAMES, hierarchy=True)
    assert list(found["label"]) == ["Couch", "Sofa bed", "Bed", "Bed", "Bed"]
    assert list(found["xmin"]) == [0, 1, 2, 4, 5]
    flat = naming.named(boxes(*labels), NAMES, hierarchy=False)
    assert list(flat["label"]) == ["Sofa bed", "Bed"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (("Sofa bed", True), {("Sofa bed", True), ("Couch", True)}),
        (("Sofa bed", False), {("Sofa bed", False)}),
        (("Couch", True), {("Couch", True)}),
        (("Couch", False), {("Couch", False), ("Sofa bed", False)}),
        (("Loveseat", True), {("Couch", True)}),
        (("Loveseat", False), set()),
        (("Studio couch", True), {("Bed", True)}),
        (("Table", True), set()),
        (("Table", False), {("Kitchen & dining room table", False)}),
        (("Furniture", True), set()),
        (("Building", False), {("Tree house", False)}),
        (("Home appliance", True), set()),
        (
            ("Furniture", False),
            {
                (name, False)
                for name in ("Bed", "Couch", "Sofa bed", "Kitchen & dining room table", "Wine rack")
            },
        ),
        (
            ("Kitchenware", False),
            {
                (name, False)
                for name in (
                    "Oven", "Refrigerator", "Coffeemaker", "Microwave oven", "Dishwasher",
                )
            },
        ),
    ],
)  # fmt: skip
def test_presence_goes_up_and_absence_goes_down(answer: tuple[str, bool], expected: Said) -> None:
    assert as_set(naming.answers(said(answer), hierarchy=True)) == expected
    flat = {answer} if answer[0] in NAMES else set()
    assert as_set(naming.answers(said(answer), hierarchy=False)) == flat


def test_answers_that_contradict_each_other_are_kept_apart_and_settled_by_boxes_only() -> None:
    answers = naming.answers(said(("Sofa bed", True), ("Couch", False), ("Sink", True)), True)
    both = {(name, there) for name in ("Sofa bed", "Couch") for there in (False, True)}
    assert as_set(answers) == both | {("Sink", True)}
    assert known(answers) == set()
    assert known(answers, "Sofa bed", "Sofa bed", "Sink") == {("Sofa bed", True), ("Sink", True)}


def test_classes_are_known_that_are_absent_or_have_boxes_of_their_own() -> None:
    assert known(said(("Sink", False)), "Bed") == {("Sink", False), ("Bed", True)}
    assert known(said(("Sink", True)), "Bed") == {("Bed", True)}, "it is somewhere"
    # Where people looked for sofa beds only, plain couches may be anywhere.
    sofa_beds = naming.answers(said(("Sofa bed", True)), hierarchy=True)
    assert known(sofa_beds, "Sofa bed") == {("Sofa bed", True)}
    assert known(sofa_beds, "Sofa bed", "Couch") == {("Sofa bed", True), ("Couch", True)}


@pytest.mark.parametrize("hierarchy", [False, True])
def test_a_box_outweighs_what_people_say(hierarchy: bool) -> None:
    assert known(said(("Bed", False)), "Bed", hierarchy=hierarchy) == {("Bed", True)}
    # There is a couch if there is a sofa bed; nobody knows whether there are others.
    found = known(said(("Couch", False)), "Sofa bed", hierarchy=hierarchy)
    assert found == {("Sofa bed", True)} | (set() if hierarchy else {("Couch", False)})


def test_nothing_is_known_of_a_class_with_a_box_that_shows_nothing() -> None:
    drawn = boxes("Bed", "Bed", "Sink")
    sound = pd.Series([True, False, True])
    found = naming.agreed(said(("Bed", False), ("Oven", False)), drawn, sound, hierarchy=True)
    assert as_set(found) == {("Oven", False), ("Sink", True)}
