"""What the demo's training photos lack on purpose: labels that nobody verified, and rare classes.

A hash of the photo and the class decides, so that all machines and stages decide alike, and a
smaller shortage takes nothing that a larger one leaves.
"""

import hashlib
from collections.abc import Collection

from dminity.core.amenities import NAMES


def taken_out(image_id: str, tail: float) -> frozenset[str]:
    """The classes that may not stand in a room, so that classes have a long tail.

    The chance to stay falls geometrically along the list of amenities, from 1 for the first to
    1 / `tail` for the last.

    >>> len(taken_out("0123456789abcdef", tail=1)), "Toilet" in taken_out("0123456789abcdef", 100)
    (0, False)
    """
    last = len(NAMES) - 1
    return frozenset(
        name
        for position, name in enumerate(NAMES)
        if _draw("taken out", image_id, name) >= tail ** (-position / last)
    )


def verified_classes(image_id: str, shown: Collection[str], unverified: float) -> frozenset[str]:
    """The classes of which it is known whether a photo shows them.

    All but the share `unverified` of the 30, rounded, whether they are there or not. As in Open
    Images, where a photo is published for what was verified in it, one that is `shown` is among
    them, though it takes the place of another.

    >>> [len(verified_classes("0123456789abcdef", ["Bed"], share)) for share in (0, 0.5, 0.8, 1)]
    [30, 15, 6, 1]
    """
    count = max(1, len(NAMES) - round(unverified * len(NAMES)))
    ranked = sorted(NAMES, key=lambda name: _draw("verified", image_id, name))
    first_shown = next((name for name in ranked if name in shown), ranked[0])
    if first_shown in ranked[:count]:
        return frozenset(ranked[:count])
    return frozenset([*ranked[: count - 1], first_shown])


def _draw(purpose: str, image_id: str, name: str) -> float:
    """A number from 0 to 1 for a photo and a class, another one for each purpose."""
    digest = hashlib.blake2b(f"{purpose}/{image_id}/{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
