"""What changed in the data, by the counts that `merge` keeps of them (metrics/data.json)."""

from collections.abc import Iterator, Mapping
from typing import Any

from dminity.core.errors import some
from dminity.core.splits import SPLITS

SHOWN_NAMES = 10
COUNTED = {"images": "Photos", "boxes": "Boxes"}


def changed_counts(
    base: Mapping[str, Any], branch: Mapping[str, Any]
) -> list[tuple[str, int, int]]:
    """Photos and boxes of each split, where their numbers differ: name, before, after."""
    found = []
    for key, name in COUNTED.items():
        for split in SPLITS:
            before, after = (_count(figures, key, split) for figures in (base, branch))
            if before != after:
                found.append((f"{name}, {split}", before, after))
    return found


def changed_classes(base: Mapping[str, Any], branch: Mapping[str, Any]) -> Iterator[str]:
    """Sentences on classes that came, went, or have other counts."""
    before, after = (_classes(figures) for figures in (base, branch))
    for what, names in (
        ("New classes", [name for name in after if name not in before]),
        ("Classes that are gone", [name for name in before if name not in after]),
        (
            "Classes with other counts",
            [name for name in after if name in before and before[name] != after[name]],
        ),
    ):
        if names:
            yield f"{what}: {len(names)} ({some(names, SHOWN_NAMES)})."


def _count(figures: Mapping[str, Any], key: str, split: str) -> int:
    """A count; 0 if it is not there."""
    section = figures.get(key)
    return int(section.get(split, 0)) if isinstance(section, Mapping) else 0


def _classes(figures: Mapping[str, Any]) -> Mapping[str, Any]:
    """The counts of each class."""
    found = figures.get("per_class")
    return found if isinstance(found, Mapping) else {}
