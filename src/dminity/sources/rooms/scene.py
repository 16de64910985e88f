"""Seeded pictures of furnished rooms, with the exact box of every amenity in them.

The 16 hex digits of an image id are the only seed: they decide the room, what stands where, the
camera and the light. `describe` gives the boxes and `render` the picture of the same scene.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from dminity.sources.rooms.backdrop import paint_backdrop
from dminity.sources.rooms.layout import AMENITIES_PER_ROOM, CLUSTERS, KINDS, Thing, furnish
from dminity.sources.rooms.solids import (
    SUBPIXEL_BITS,
    Camera,
    Floats,
    back_to_front,
    fill,
    paint,
    silhouette,
)

LONG_SIDE = 640  # pixels
ASPECTS = ((4, 3),) * 4 + ((3, 2),) * 3 + ((1, 1), (3, 4))
ROW_WIDTH = 4.3  # meters of furniture side by side in a square picture
SUPERSAMPLING = 2
MAX_EYE_HEIGHT = 2.6  # meters, below the ceiling
MIN_VISIBLE = 0.2  # share of an amenity's area; below it, only a scrap would show
MIN_BOX = 0.3  # share of the box that an amenity would have unhidden and uncut
MIN_SIDE = 12  # pixels
OCCLUDED = 0.08  # hidden share from which an amenity counts as occluded


@dataclass(frozen=True)
class RoomBox:
    """The visible extent of one amenity, each edge in 0-1 of the picture's width or height."""

    label: str
    xmin: float
    ymin: float
    xmax: float
    ymax: float
    is_occluded: bool
    is_truncated: bool
    is_group_of: bool


@dataclass(frozen=True)
class Scene:
    """A composed room, as its camera sees it: of what it was furnished with, the `things` left."""

    kind: str
    furnished: list[Thing]
    things: list[Thing]
    boxes: list[RoomBox]
    camera: Camera
    rng: np.random.Generator  # for what no box depends on, such as wall colors


def describe(image_id: str, without: frozenset[str] = frozenset()) -> list[RoomBox]:
    """The boxes of every amenity in a picture, without painting it.

    Amenities of the classes `without` are taken out of the furnished room.
    """
    return _compose(image_id, without).boxes


def render(image_id: str, without: frozenset[str] = frozenset()) -> NDArray[np.uint8]:
    """The picture of what is described: [H, W, 3], uint8, RGB, 640 pixels on its long side."""
    scene = _compose(image_id, without)
    rng, camera = scene.rng, scene.camera
    to_light = np.array([rng.choice([-0.5, 0.5]), -0.65, 0.75])
    canvas = paint_backdrop(scene.kind, scene.furnished, scene.things, camera, rng)
    fine = camera.scaled(SUPERSAMPLING)
    canvas = cv2.resize(canvas, (fine.width, fine.height), interpolation=cv2.INTER_LINEAR)
    solids = [solid for thing in scene.things for solid in thing.solids]
    paint(canvas, solids, fine, to_light / np.linalg.norm(to_light))
    canvas = cv2.resize(canvas, (camera.width, camera.height), interpolation=cv2.INTER_AREA)
    return _finish(canvas, rng)


def _finish(canvas: MatLike, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Darken towards the corners, and add a little sensor noise."""
    height, width = canvas.shape[:2]
    x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)[:, None]
    vignette = (1 - 0.09 * (x**2 + y**2)).astype(np.float32)[..., None]
    noise = rng.standard_normal((height, width, 1), dtype=np.float32) * rng.uniform(0.5, 2.5)
    return np.asarray(np.clip(canvas * vignette + noise, 0, 255), np.uint8)


def _compose(image_id: str, without: frozenset[str]) -> Scene:
    """Furnish rooms until one shows enough amenities; then take out those of some classes."""
    rng = np.random.default_rng(int(image_id, 16))
    names = list(KINDS)
    shares = np.array([kind.share for kind in KINDS.values()])
    while True:
        name = names[rng.choice(len(names), p=shares / shares.sum())]
        across, down = ASPECTS[rng.integers(len(ASPECTS))]
        side = int(rng.choice([-1, 1]))
        things = furnish(KINDS[name], ROW_WIDTH * across / down, side, rng)
        width, height = (LONG_SIDE * part // max(across, down) for part in (across, down))
        camera = _aim(things, side, width, height, rng)
        things, boxes = _without_scraps(things, camera)
        if len(boxes) >= AMENITIES_PER_ROOM[0]:
            break
    furnished = things
    if without:
        things, boxes = _without_scraps(_taken_out(furnished, without), camera)
    return Scene(name, furnished, things, boxes, camera, rng)


def _taken_out(things: Sequence[Thing], labels: frozenset[str]) -> list[Thing]:
    """The things of other classes; what stood on one that is gone stands on the floor instead."""
    for host in things:
        for guest in host.guests:
            if host.label in labels:
                guest.move((0, 0, -guest.low[2]))
    return [thing for thing in things if thing.label not in labels]


def _aim(
    things: Sequence[Thing], side: int, width: int, height: int, rng: np.random.Generator
) -> Camera:
    """A camera that has all things in view, or, now and then, most of them.

    In camera axes, the points (u, v, f) right of, below and ahead of the eye (u0, v0, f0) are seen
    where |u - u0| <= t (f - f0), t the tangent of half the angle of view. The nearest such eye
    follows from the extremes of u + t f and u - t f, likewise for v.
    """
    amenities = [thing for thing in things if thing.label]
    points = np.concatenate([solid.vertices for thing in amenities for solid in thing.solids])
    yaw, pitch = side * rng.uniform(4, 28), rng.uniform(-18, -10)
    field_of_view, zoom = rng.uniform(40, 54), rng.uniform(0.92, 1.09)
    while True:
        camera = Camera.looking(yaw, pitch, field_of_view, width, height)
        camera = replace(camera, eye=_nearest_eye(camera, points, zoom) @ camera.rotation)
        if camera.eye[2] < MAX_EYE_HEIGHT:
            return camera
        pitch += 1


def _nearest_eye(camera: Camera, points: Floats, zoom: float) -> Floats:
    """Where, in camera axes [3], the eye must stand to see all points and no more."""
    u, v, f = camera.rotation @ points.T
    eye = np.zeros(3)
    nearest = []
    for axis, (values, pixels) in enumerate(((u, camera.width), (v, camera.height))):
        tangent = pixels / 2 / camera.focal * zoom
        most, least = (values - tangent * f).max(), (values + tangent * f).min()
        eye[axis] = (most + least) / 2
        nearest.append((least - most) / 2 / tangent)
    eye[2] = min(nearest)
    return eye


def _without_scraps(things: Sequence[Thing], camera: Camera) -> tuple[list[Thing], list[RoomBox]]:
    """Take away what would hardly be seen, until every amenity left has a fair box."""
    kept = list(things)
    while True:
        boxes = _boxes(kept, camera)
        gone = [thing for thing, box in zip(kept, boxes, strict=True) if thing.label and not box]
        if not gone:
            return kept, [box for box in boxes if box]
        gone += [guest for thing in gone for guest in thing.guests]
        kept = [thing for thing in kept if thing not in gone]


def _boxes(things: Sequence[Thing], camera: Camera) -> list[RoomBox | None]:
    """The box of each thing, None for decoration and for what would be a scrap."""
    outlines = [[silhouette(solid, camera) for solid in thing.solids] for thing in things]
    owners = [(i, k) for i, thing in enumerate(things) for k in range(len(thing.solids))]
    solids = [solid for thing in things for solid in thing.solids]
    ids = np.zeros((camera.height, camera.width), np.uint8)
    for index in back_to_front(solids, camera.eye):
        i, k = owners[index]
        fill(ids, outlines[i][k], (i + 1,))
    return [
        _box(thing, ids == i + 1, outlines[i]) if thing.label else None
        for i, thing in enumerate(things)
    ]


def _box(thing: Thing, visible: NDArray[np.bool_], outlines: Sequence[MatLike]) -> RoomBox | None:
    """The box around the visible part of a thing, if that part is worth one."""
    height, width = visible.shape
    whole = np.zeros((height, width), np.uint8)
    for outline in outlines:
        fill(whole, outline, (1,))
    in_frame = cv2.countNonZero(whole)
    share = np.count_nonzero(visible) / max(in_frame, 1)
    x, y, w, h = cv2.boundingRect(visible.view(np.uint8))
    ends = np.concatenate(outlines) / (1 << SUBPIXEL_BITS)
    full = np.ptp(ends, axis=0)
    if share < MIN_VISIBLE or min(w, h) < MIN_SIDE or w * h < MIN_BOX * full.prod():
        return None
    beyond = (ends.min(axis=0) < -1).any() or (ends.max(axis=0) > (width, height)).any()
    return RoomBox(
        thing.label,
        x / width,
        y / height,
        (x + w) / width,
        (y + h) / height,
        is_occluded=bool(share < 1 - OCCLUDED),
        is_truncated=bool(beyond),
        is_group_of=thing.name in CLUSTERS,
    )
