"""Open Images' hierarchy of classes, as far as it concerns the 30 amenities.

From `Subcategory` of bbox_labels_600_hierarchy.json; a `Part` is no kind of what it belongs to.
"""

from collections.abc import Collection, Iterator, Sequence

# What each class is a kind of. Not related: Sofa bed and Bed, Gas stove and Oven, Billiard table
# and Table, Jacuzzi and Bathtub.
PARENTS = {
    "Sofa bed": ("Couch",),
    "Loveseat": ("Couch",),
    "Infant bed": ("Bed",),
    "Studio couch": ("Bed",),
    "Kitchen & dining room table": ("Table",),
    "Couch": ("Furniture",),
    "Bed": ("Furniture",),
    "Table": ("Furniture",),
    "Wine rack": ("Furniture",),
    "Toilet": ("Plumbing fixture",),
    "Sink": ("Plumbing fixture",),
    "Bathtub": ("Plumbing fixture",),
    "Shower": ("Plumbing fixture",),
    "Washing machine": ("Home appliance",),
    "Gas stove": ("Home appliance",),
    "Ceiling fan": ("Home appliance",),
    "Oven": ("Home appliance", "Kitchen appliance"),
    "Refrigerator": ("Home appliance", "Kitchen appliance"),
    "Coffeemaker": ("Home appliance", "Kitchen appliance"),
    "Microwave oven": ("Home appliance", "Kitchen appliance"),
    "Dishwasher": ("Home appliance", "Kitchen appliance"),
    "Kitchen appliance": ("Kitchenware",),
    "Billiard table": ("Sports equipment",),
    "Tree house": ("Building",),
    "Towel": ("Bathroom accessory",),
}

# Open Images' codes of those of them that are no amenities themselves.
CODE_OF_OTHERS = {
    "Loveseat": "/m/0703r8",
    "Infant bed": "/m/061hd_",
    "Studio couch": "/m/026qbn5",
    "Table": "/m/04bcr3",
    "Furniture": "/m/0c_jw",
    "Plumbing fixture": "/m/02pkr5",
    "Home appliance": "/m/019dx1",
    "Kitchen appliance": "/m/0h99cwc",
    "Kitchenware": "/m/03_wxk",
    "Sports equipment": "/m/05y5lj",
    "Building": "/m/0cgh4",
    "Bathroom accessory": "/m/0h8nr_l",
}


def with_ancestors(label: str) -> list[str]:
    """A class and all that it is a kind of.

    >>> with_ancestors("Sofa bed")
    ['Sofa bed', 'Couch', 'Furniture']
    """
    return _closed(label, PARENTS)


def with_descendants(label: str) -> list[str]:
    """A class and all kinds of it.

    >>> with_descendants("Couch")
    ['Couch', 'Sofa bed', 'Loveseat']
    """
    return _closed(label, CHILDREN)


def kinds_among(classes: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """The positions of each class that is a kind of another one, and of that other one.

    >>> kinds_among(["Couch", "Bed", "Sofa bed"])
    ((2, 0),)
    """
    return tuple(
        (position, classes.index(other))
        for position, label in enumerate(classes)
        for other in with_ancestors(label)[1:]
        if other in classes
    )


def nearest(label: str, classes: Collection[str]) -> str | None:
    """What a class is called where only `classes` have names: by its own, or by what it is.

    >>> nearest("Loveseat", ("Bed", "Couch", "Sofa bed"))
    'Couch'
    """
    return next((name for name in with_ancestors(label) if name in classes), None)


def _children() -> dict[str, tuple[str, ...]]:
    """PARENTS, the other way around."""
    parents = sorted({parent for known in PARENTS.values() for parent in known})
    return {
        parent: tuple(label for label, known in PARENTS.items() if parent in known)
        for parent in parents
    }


def _closed(label: str, relations: dict[str, tuple[str, ...]]) -> list[str]:
    """A class and all that can be reached from it."""

    def reached(name: str) -> Iterator[str]:
        yield name
        for other in relations.get(name, ()):
            yield from reached(other)

    return list(dict.fromkeys(reached(label)))


CHILDREN = _children()
