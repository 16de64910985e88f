"""Open Images' rules, one by one."""

import numpy as np
import pandas as pd
import pytest

from dminity.data.tables import CORNERS
from dminity.evaluation.matches import average_precision
from dminity.evaluation.openimages import CHALLENGE, Published, Rules, match

CLASSES = ("Bed", "Couch", "Sofa bed")
WHOLE, LEFT, RIGHT = (0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 0.25, 0.5), (0.75, 0.0, 1.0, 0.5)
Box = tuple[str, tuple[float, float, float, float]]
Found = tuple[str, tuple[float, float, float, float], float]


def published(
    *boxes: Box, groups: tuple[Box, ...] = (), labels: tuple[tuple[str, bool], ...] = ()
) -> Published:
    """One photo."""
    rows = [("a", label, *corners, False) for label, corners in boxes]
    rows += [("a", label, *corners, True) for label, corners in groups]
    return Published(
        ("a",),
        pd.DataFrame(rows, columns=["image_id", "label", *CORNERS, "is_group_of"]),
        pd.DataFrame(
            [("a", label, present) for label, present in labels],
            columns=["image_id", "label", "present"],
        ),
    )


def ap(photo: Published, *found: Found, rules: Rules = CHALLENGE) -> dict[str, float]:
    """The average precision of the classes that have one."""
    rows = [("a", label, score, *corners) for label, corners, score in found]
    table = pd.DataFrame(rows, columns=["image_id", "label", "score", *CORNERS])
    values = average_precision(match(photo, table, CLASSES, rules))[0, :, 0]
    return {name: value for name, value in zip(CLASSES, values, strict=True) if not np.isnan(value)}


def test_a_sofa_bed_is_a_couch_that_a_detection_of_a_couch_finds() -> None:
    photo = published(("Sofa bed", LEFT))
    assert ap(photo, ("Couch", LEFT, 0.9)) == {"Couch": 1, "Sofa bed": 0}
    assert ap(photo, ("Sofa bed", LEFT, 0.9)) == {"Couch": 0, "Sofa bed": 1}
    assert ap(photo, ("Couch", LEFT, 0.9), rules=Rules(hierarchy=False)) == {"Sofa bed": 0}


def test_what_nobody_looked_for_is_left_out_and_was_wrong_once() -> None:
    photo = published(("Bed", LEFT), ("Couch", LEFT))
    found = ("Sofa bed", LEFT, 0.95)
    beds = published(("Bed", LEFT), ("Sofa bed", LEFT))
    assert "Sofa bed" not in ap(photo, found)
    assert ap(beds, ("Bed", RIGHT, 0.95), ("Bed", LEFT, 0.9))["Bed"] == 0.5
    # Another photo has the bed; of this one nobody said whether there is a bed.
    two = published(("Couch", LEFT))
    other = pd.DataFrame([("b", "Bed", *LEFT, False)], columns=two.boxes.columns)
    both = Published(("a", "b"), pd.concat([two.boxes, other]), two.verified)
    alarm = [("a", "Bed", 0.95, *LEFT), ("b", "Bed", 0.9, *LEFT)]
    table = pd.DataFrame(alarm, columns=["image_id", "label", "score", *CORNERS])
    for verified_only, expected in ((True, 1.0), (False, 0.5)):
        matches = match(both, table, CLASSES, Rules(verified_only=verified_only))
        assert average_precision(matches)[0, 0, 0] == expected


@pytest.mark.parametrize(
    ("label", "present", "counts"),
    [("Couch", False, True), ("Couch", True, False), ("Furniture", False, True)],
)
def test_an_absence_goes_down_and_a_presence_does_not(
    label: str, present: bool, counts: bool
) -> None:
    photo = published(labels=((label, present),))
    table = pd.DataFrame(
        [("a", "Sofa bed", 0.9, *LEFT)], columns=["image_id", "label", "score", *CORNERS]
    )
    assert match(photo, table, CLASSES).listed.sum() == counts


def test_a_presence_goes_up() -> None:
    photo = published(labels=(("Sofa bed", True),))
    table = pd.DataFrame(
        [("a", "Couch", 0.9, *LEFT)], columns=["image_id", "label", "score", *CORNERS]
    )
    assert match(photo, table, CLASSES).listed.sum() == 1


def test_a_group_counts_once_or_not_at_all() -> None:
    photo = published(("Bed", LEFT), groups=(("Bed", (0.6, 0.0, 1.0, 1.0)),))
    inside = (("Bed", RIGHT, 0.9), ("Bed", RIGHT, 0.8), ("Bed", LEFT, 0.7))
    assert ap(photo, *inside)["Bed"] == 1
    assert ap(photo, *inside[2:])["Bed"] == 0.5
    assert ap(photo, *inside[2:], rules=Rules(group_weight=0))["Bed"] == 1
    # A group is not found by what hardly lies in it.
    assert ap(photo, ("Bed", WHOLE, 0.95), ("Bed", LEFT, 0.7))["Bed"] == pytest.approx(0.25)


def test_a_flag_that_nobody_knows_is_no_group() -> None:
    photo = published(("Bed", LEFT))
    unknown = photo.boxes.assign(is_group_of=pd.array([None], "boolean"))
    assert ap(Published(("a",), unknown, photo.verified), ("Bed", LEFT, 0.9)) == {"Bed": 1}


def test_a_photo_without_a_label_and_a_box_counts_for_nothing() -> None:
    assert ap(published(), ("Bed", LEFT, 0.9)) == {}


def test_tables_may_tell_of_other_photos_and_classes() -> None:
    photo = published(("Bed", LEFT), ("Toilet", RIGHT), labels=(("Toilet", False),))
    other = photo.boxes.assign(image_id="b")
    more = Published(("a",), pd.concat([photo.boxes, other]), photo.verified)
    assert ap(more, ("Bed", LEFT, 0.9)) == {"Bed": 1}


def test_detections_of_other_photos_and_classes_are_left_out() -> None:
    # What has no place must not get one of the last photo, or of the last class of the one before.
    photos = Published(
        ("a", "b"),
        pd.DataFrame(
            [(image_id, label, *LEFT, False) for image_id in "ab" for label in ("Bed", "Sofa bed")],
            columns=["image_id", "label", *CORNERS, "is_group_of"],
        ),
        pd.DataFrame(columns=["image_id", "label", "present"]),
    )
    rows = [(image_id, label, 0.5, *LEFT) for image_id in "ab" for label in ("Bed", "Sofa bed")]
    rows += [("c", "Bed", 0.9, *RIGHT), ("b", "Toilet", 0.9, *LEFT), ("a", "Sink", 0.9, *RIGHT)]
    table = pd.DataFrame(rows, columns=["image_id", "label", "score", *CORNERS])
    for verified_only in (True, False):
        found = match(photos, table, CLASSES, Rules(verified_only=verified_only, hierarchy=False))
        assert found.right.tolist() == [[True] * 4]
