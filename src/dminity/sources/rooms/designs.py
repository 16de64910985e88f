"""The catalog that things to build are listed in, and the colors and parts they share.

A builder stands its thing on the floor around the origin, front towards -y, in meters. It is
given one accent color, drawn from the few that its `design` line names; whatever else varies
(size, tint, place) is varied for all alike in `layout`.
"""

from collections.abc import Callable
from typing import NamedTuple

from dminity.sources.rooms.solids import Color, Solid, box

Solids = list[Solid]
Builder = Callable[[Color], Solids]


class Design(NamedTuple):
    """A way to build something, and the accent colors that suit it."""

    build: Builder
    accents: tuple[Color, ...]


Catalog = dict[str, Design]

WHITE, CREAM, CHROME, STEEL = (244, 244, 240), (240, 228, 205), (205, 212, 220), (165, 172, 180)
BLACK, CHARCOAL, STONE = (38, 38, 44), (70, 72, 80), (190, 182, 170)
OAK, WALNUT, PINE, GOLD = (196, 148, 98), (126, 84, 56), (222, 184, 132), (222, 178, 82)
RED, RUST, CORAL, MUSTARD = (200, 62, 56), (186, 92, 60), (236, 132, 110), (226, 172, 66)
TEAL, NAVY, SKY, AQUA = (48, 134, 134), (62, 84, 134), (140, 196, 226), (64, 200, 210)
SAGE, LEAF, FOREST, PLUM = (150, 176, 142), (104, 164, 84), (64, 120, 72), (134, 88, 130)
FLAME, GLOW, BLUSH = (255, 140, 40), (255, 214, 120), (238, 194, 186)


def design(catalog: Catalog, name: str, *accents: Color) -> Callable[[Builder], Builder]:
    """List a builder in a catalog."""

    def enter(build: Builder) -> Builder:
        catalog[name] = Design(build, accents)
        return build

    return enter


def corners(width: float, depth: float) -> list[tuple[float, float]]:
    """The (x, y) of a rectangle's corners around the origin, far ones first."""
    return [(x * width / 2, y * depth / 2) for y in (1, -1) for x in (-1, 1)]


def legs(width: float, depth: float, height: float, thick: float, color: Color) -> Solids:
    """Four legs under the corners of a rectangle around the origin."""
    size = (thick, thick, height)
    return [box(size, (x, y, 0), color) for x, y in corners(width, depth)]
