"""Which things a room holds, and where each of them stands.

A room is furnished first and measured afterwards: walls and camera follow from what was placed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dminity.sources.rooms.fixtures import FIXTURES
from dminity.sources.rooms.furniture import FURNITURE
from dminity.sources.rooms.solids import Color, Floats, Solid

DESIGNS = FURNITURE | FIXTURES
AMENITIES_PER_ROOM = (5, 8)
CEILING = 2.8  # meters
GAP = 0.16  # meters between neighbors
AISLE = 1.25  # meters between rows
CLUSTERS = {"heap of pillows": "Pillow", "stack of towels": "Towel"}  # boxed as one
PLACES = ("wall", "free", "hung", "ceiling", "behind")
DECORATION = ("cabinet", "hedge", "picture", "plant")
Pick = tuple[str, str, float]  # amenity, place, chance


@dataclass(frozen=True)
class RoomKind:
    """What a kind of room looks like and may hold.

    The place of a pick is "wall" (on the floor, along the back wall), "hung" (on that wall),
    "free" (in front), "ceiling", "behind" (all else), or the name of what it stands on.
    "wall or free" leaves the choice to chance.
    """

    share: float
    walls: tuple[Color, ...]
    floor: str
    picks: tuple[Pick, ...]


@dataclass(eq=False)
class Thing:
    """An amenity or a piece of decoration."""

    name: str
    solids: list[Solid]
    guests: list["Thing"] = field(default_factory=list)  # what stands on it

    @property
    def label(self) -> str:
        """The class of an amenity, "" for decoration."""
        return "" if self.name in DECORATION else CLUSTERS.get(self.name, self.name)

    @property
    def low(self) -> Floats:
        """[3], in meters, guests included."""
        ends = [solid.low for solid in self.solids] + [guest.low for guest in self.guests]
        return np.asarray(np.min(ends, axis=0))

    @property
    def high(self) -> Floats:
        """[3], in meters, guests included."""
        ends = [solid.high for solid in self.solids] + [guest.high for guest in self.guests]
        return np.asarray(np.max(ends, axis=0))

    @property
    def size(self) -> Floats:
        """[3], in meters, guests included."""
        return self.high - self.low

    def move(self, by: Sequence[float] | Floats) -> None:
        """Shift by meters on each axis, with all that stands on it."""
        self.solids = [replace(solid, vertices=solid.vertices + by) for solid in self.solids]
        for guest in self.guests:
            guest.move(by)

    def turn(self, degrees: float) -> None:
        """Turn about the vertical axis through the origin, with all that stands on it."""
        self.solids = [solid.turned(degrees) for solid in self.solids]
        for guest in self.guests:
            guest.turn(degrees)


TABLE = "Kitchen & dining room table"
KINDS = {
    "kitchen": RoomKind(
        0.3,
        ((238, 226, 204), (214, 224, 214), (226, 214, 206)),
        "tiles",
        (
            ("Refrigerator", "wall", 0.85),
            ("Oven", "wall", 0.85),
            ("Countertop", "wall", 0.85),
            ("Dishwasher", "wall", 0.85),
            ("Gas stove", "wall", 0.85),
            ("Sink", "Countertop", 0.35),
            ("Microwave oven", "Countertop", 0.9),
            ("Coffeemaker", "Countertop", 0.9),
            (TABLE, "wall or free", 0.75),
            ("Wine rack", "wall", 0.15),
            ("plant", "wall", 0.5),
            ("picture", "hung", 0.5),
        ),
    ),
    "bathroom": RoomKind(
        0.2,
        ((206, 226, 230), (228, 222, 214), (214, 228, 216)),
        "tiles",
        (
            ("Toilet", "wall", 1.0),
            ("Sink", "cabinet", 0.7),
            ("Mirror", "hung", 0.7),
            ("Shower", "wall", 1.0),
            ("Bathtub", "wall or free", 1.0),
            ("Washing machine", "wall", 1.0),
            ("Towel", "hung", 0.6),
            ("stack of towels", "cabinet", 0.15),
            ("plant", "wall", 0.5),
            ("picture", "hung", 0.5),
        ),
    ),
    "living room": RoomKind(
        0.2,
        ((236, 220, 198), (206, 214, 224), (222, 208, 214)),
        "planks",
        (
            ("Fireplace", "wall", 0.9),
            ("Television", "Fireplace", 0.7),
            ("Stairs", "wall", 0.6),
            ("Couch", "wall", 0.6),
            ("Pillow", "Couch", 0.2),
            ("Wine rack", "wall", 0.8),
            ("Billiard table", "wall or free", 1.0),
            ("Ceiling fan", "ceiling", 0.5),
            ("plant", "wall", 0.5),
            ("picture", "hung", 0.5),
        ),
    ),
    "bedroom": RoomKind(
        0.18,
        ((224, 214, 232), (236, 222, 206), (206, 222, 226)),
        "planks",
        (
            ("Bed", "wall", 1.0),
            ("Pillow", "Bed", 0.7),
            ("Sofa bed", "wall", 1.0),
            ("Pillow", "Sofa bed", 0.2),
            ("Mirror", "hung", 0.35),
            ("Television", "Fireplace", 0.4),
            ("Ceiling fan", "ceiling", 0.65),
            ("Couch", "wall", 0.3),
            ("Towel", "hung", 0.2),
            ("stack of towels", "cabinet", 0.1),
            ("heap of pillows", "free", 0.1),
            ("plant", "wall", 0.5),
            ("picture", "hung", 0.5),
        ),
    ),
    "garden": RoomKind(
        0.2,
        ((150, 196, 236),),
        "grass",
        (
            ("Porch", "wall", 1.0),
            ("Tree house", "wall", 1.0),
            ("Stairs", "wall", 0.3),
            ("Swimming pool", "free", 1.0),
            ("Jacuzzi", "wall or free", 1.0),
            ("Fountain", "wall or free", 1.0),
            (TABLE, "wall or free", 0.1),
            ("hedge", "behind", 1.0),
        ),
    ),
}


def _build(name: str, rng: np.random.Generator) -> Thing:
    """A thing at the origin, of a random accent, tint and size."""
    design = DESIGNS[name]
    accent = design.accents[rng.integers(len(design.accents))]
    stretch = rng.uniform(0.94, 1.1) * rng.uniform(0.95, 1.05, 3)
    tint = rng.uniform(0.94, 1.04) * rng.uniform(0.96, 1.04, 3)
    solids = [
        replace(
            solid,
            vertices=solid.vertices * stretch,
            color=tuple(np.minimum(solid.color * tint, 255).tolist()),
        )
        for solid in design.build(accent)
    ]
    return Thing(name, solids)


def furnish(kind: RoomKind, row_width: float, side: int, rng: np.random.Generator) -> list[Thing]:
    """All things of a room in their places: the back wall is y = 0, the floor z = 0.

    No row is wider than `row_width` meters; what it has no room for stands along the wall to its
    left (`side` -1) or right (1).
    """
    placed: dict[str, list[Thing]] = {place: [] for place in PLACES}
    hosted = []
    for name, places, _ in _choose(kind.picks, rng):
        thing = _build(name, rng)
        place = str(rng.choice(places.split(" or ")))
        if place in PLACES:
            placed[place].append(thing)
        else:
            hosted.append((thing, place))
    _seat_guests(hosted, placed, rng)
    return _arrange(placed, row_width, side, rng)


def _choose(picks: Sequence[Pick], rng: np.random.Generator) -> list[Pick]:
    """A random part of the picks, in random order, as many as a room should hold."""
    fewest, most = AMENITIES_PER_ROOM
    while True:
        chosen = [pick for pick in picks if rng.random() < pick[2]]
        if fewest <= sum(name not in DECORATION for name, *_ in chosen) <= most:
            return [chosen[i] for i in rng.permutation(len(chosen))]


def _seat_guests(
    hosted: Sequence[tuple[Thing, str]],
    placed: dict[str, list[Thing]],
    rng: np.random.Generator,
) -> None:
    """Put each guest on its host, or on a cabinet where the host is missing or full."""
    standing = [*placed["wall"], *placed["free"]]
    for guest, host_name in hosted:
        hosts = [thing for thing in standing if thing.name in (host_name, "cabinet")]
        if not any(_seat(guest, host, rng) for host in hosts):
            cabinet = _build("cabinet", rng)
            _seat(guest, cabinet, rng)
            placed["wall"].append(cabinet)
            standing.append(cabinet)


def _seat(guest: Thing, host: Thing, rng: np.random.Generator) -> bool:
    """Stand a guest on its host, at the back, beside the guests before it; False if too full."""
    top = [solid for solid in host.solids if solid.bears]
    left, right = min(s.low[0] for s in top), max(s.high[0] for s in top)
    room = right - left - sum(other.size[0] + GAP for other in [*host.guests, guest])
    if host.guests and room < 0:
        return False
    host.guests.insert(int(rng.integers(len(host.guests) + 1)), guest)
    start = left + GAP / 2  # a single guest may stick out on both sides
    for other in host.guests:
        start += room / (len(host.guests) + 1)
        back = max(s.high[1] for s in top) - 0.03 - other.high[1]
        other.move((start - other.low[0], back, max(s.high[2] for s in top) - other.low[2]))
        start += other.size[0] + GAP
    return True


def _arrange(
    placed: dict[str, list[Thing]], row_width: float, side: int, rng: np.random.Generator
) -> list[Thing]:
    """Move the things of each place to where they belong."""
    row, beside = _fitting(placed["wall"], row_width)
    _line_up(row, back=-0.02)
    _line_up_beside(row, beside, side)
    hanging: list[Thing] = []
    for thing in sorted(placed["hung"], key=lambda thing: not thing.label):
        _hang(thing, row, hanging)
    _line_up_in_front(row, placed["free"], row_width, side, rng)
    half = row[-1].high[0]
    for thing in placed["ceiling"]:
        thing.move((rng.uniform(-0.6, 0.6) * half, -1.2, CEILING - thing.high[2]))
    for thing in placed["behind"]:
        thing.move((0, 1.0, 0))
    hosts = [thing for things in placed.values() for thing in things]
    return [thing for host in hosts for thing in (host, *host.guests)]


def _fitting(things: Sequence[Thing], row_width: float) -> tuple[list[Thing], list[Thing]]:
    """Those that fit in one row, at least one, and the others."""
    widths = np.cumsum([thing.size[0] + GAP for thing in things])
    fit = max(int((widths < row_width).sum()), 1)
    return list(things[:fit]), list(things[fit:])


def _line_up(row: Sequence[Thing], back: float) -> float:
    """Put things side by side around x = 0, backs at y = `back`; returns the row's width."""
    width = sum(thing.size[0] for thing in row) + GAP * (len(row) - 1)
    start = -width / 2
    for thing in row:
        thing.move((start - thing.low[0], back - thing.high[1], 0))
        start = thing.high[0] + GAP
    return float(width)


def _line_up_beside(row: Sequence[Thing], things: Sequence[Thing], side: int) -> None:
    """Line up what the row has no room for along a side wall, towards the viewer."""
    edge = max(side * end for thing in row for end in (thing.low[0], thing.high[0])) + GAP
    back = -0.7
    for thing in things:
        thing.turn(-90 * side)
        inner = thing.low[0] if side > 0 else thing.high[0]
        thing.move((side * edge - inner, back - thing.high[1], 0))
        back = thing.low[1] - GAP


def _line_up_in_front(
    row: Sequence[Thing],
    things: Sequence[Thing],
    row_width: float,
    side: int,
    rng: np.random.Generator,
) -> None:
    """Line up what stands free, in as many lines as it takes, towards the viewer."""
    waiting, front = list(things), min(thing.low[1] for thing in row)
    while waiting:
        line, waiting = _fitting(waiting, row_width)
        slack = 2 * row[-1].high[0] - _line_up(line, front - AISLE)
        # A line wider than the row sticks out on the side where nothing stands beside it.
        shift = slack / 2 * (rng.uniform(-1, 1) if slack > 0 else side)
        for thing in line:
            thing.move((shift, 0, 0))
        front = min(thing.low[1] for thing in line)


def _hang(thing: Thing, row: list[Thing], hanging: list[Thing]) -> None:
    """Hang a thing on the wall, above something low or beside the row."""
    middle = thing.size[0] / 2
    for below in row:
        x, top = (below.low[0] + below.high[0]) / 2, below.high[2] + 0.12
        fits = top + thing.size[2] < CEILING - 0.1 and below.size[0] > middle
        if fits and all(abs(x - (t.low[0] + t.high[0]) / 2) > 0.01 for t in hanging):
            break
    else:
        x, top = max(t.high[0] for t in [*row, *hanging]) + GAP + middle, 0.0
    thing.move((x, -0.02 - thing.high[1], max(top, 1.8 - thing.size[2])))
    hanging.append(thing)
