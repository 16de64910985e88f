"""What changed in the data."""

from typing import Any

from dminity.report.data_changes import changed_classes, changed_counts

BASE: dict[str, dict[str, Any]] = {
    "images": {"train": 600, "validation": 60, "test": 150},
    "boxes": {"train": 3631, "validation": 363, "test": 905},
    "per_class": {"Bed": {"train": {"boxes": 5}}, "Sink": {"train": {"boxes": 7}}},
}


def test_the_same_data_have_no_changes() -> None:
    assert changed_counts(BASE, BASE) == []
    assert list(changed_classes(BASE, BASE)) == []


def test_counts_and_classes_that_changed() -> None:
    branch = {
        "images": BASE["images"] | {"train": 900},
        "boxes": BASE["boxes"],
        "per_class": {"Bed": {"train": {"boxes": 6}}, "Oven": {"train": {"boxes": 7}}},
    }
    assert changed_counts(BASE, branch) == [("Photos, train", 600, 900)]
    assert list(changed_classes(BASE, branch)) == [
        "New classes: 1 (Oven).",
        "Classes that are gone: 1 (Sink).",
        "Classes with other counts: 1 (Bed).",
    ]


def test_what_an_older_version_did_not_count_is_none() -> None:
    assert changed_counts({}, {"images": {"test": 3}}) == [("Photos, test", 0, 3)]
    assert list(changed_classes({"per_class": None}, {})) == []
