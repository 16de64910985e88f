"""Convex solids in meters, and a pinhole camera that paints them back to front.

World axes: x to the right, y away from the viewer, z up. Every solid is a loft (a stack of rings
of vertices), so a box, a cylinder, a cushion and a ball share one mesh layout and one painter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

Color = tuple[float, float, float]  # RGB, 0-255
Vector = tuple[float, float, float]  # meters
Floats = NDArray[np.float64]

NEAR = 0.3  # meters; nothing closer to the eye is drawn
SUBPIXEL_BITS = 4
TOUCH = 0.012  # meters by which two solids may overlap and still count as side by side
AMBIENT = np.array([0.60, 0.60, 0.65])
SUN = np.array([0.50, 0.47, 0.40])


@dataclass(frozen=True)
class Solid:
    """A convex polyhedron: `rings` stacked rings of vertices, closed by two caps."""

    vertices: Floats  # [rings * sides, 3], in meters, ring after ring
    rings: int
    color: Color
    glow: bool = False  # shines by itself: shown in its full color
    opacity: float = 1.0  # 0-1
    bears: bool = False  # other things may stand on it

    @cached_property
    def low(self) -> Floats:
        """[3], in meters."""
        return np.asarray(self.vertices.min(axis=0))

    @cached_property
    def high(self) -> Floats:
        """[3], in meters."""
        return np.asarray(self.vertices.max(axis=0))

    def glowing(self) -> "Solid":
        """Shining by itself."""
        return replace(self, glow=True)

    def glass(self, opacity: float) -> "Solid":
        """Letting through what lies behind it."""
        return replace(self, opacity=opacity)

    def bearing(self) -> "Solid":
        """Ready for other things to stand on."""
        return replace(self, bears=True)

    def turned(self, degrees: float) -> "Solid":
        """Rotated about the vertical axis through the origin."""
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
        return replace(self, vertices=self.vertices @ turn)


def _circle(sides: int) -> Floats:
    """(sides, 2) unit circle, counter-clockwise, no vertex on an axis."""
    angles = (np.arange(sides) + 0.5) * 2 * np.pi / sides
    return np.column_stack([np.cos(angles), np.sin(angles)])


@lru_cache(maxsize=64)
def _frustum(sides: int, taper: tuple[float, float], shift: tuple[float, float]) -> Floats:
    """[2, sides, 3], in the unit cube around 0; `taper` is the top's size over the bottom's."""
    ring = _circle(sides) / _circle(sides).max() / 2
    bottom, top = np.minimum(1, 1 / np.array(taper)), np.minimum(1, taper)
    rings = [np.c_[ring * bottom, np.full(sides, -0.5)]]
    rings.append(np.c_[ring * top + shift, np.full(sides, 0.5)])
    return np.array(rings)


@lru_cache(maxsize=8)
def _sphere(rings: int, sides: int, squareness: float) -> Floats:
    """A ball [rings, sides, 3] in the unit cube; squareness 0 is round, near 1 is boxy in plan."""
    latitude = (np.arange(rings) + 0.5) / rings * np.pi - np.pi / 2
    plan = np.sign(_circle(sides)) * np.abs(_circle(sides)) ** (1 - squareness)
    ball = np.empty((rings, sides, 3))
    ball[..., :2] = np.cos(latitude)[:, None, None] * plan
    ball[..., 2] = np.sin(latitude)[:, None]
    return np.asarray(ball / np.abs(ball).max(axis=(0, 1)) / 2)


def _solid(loft: Floats, size: Vector, at: Vector, color: Color) -> Solid:
    """Scale a unit loft to `size` and stand it with the middle of its underside on `at`."""
    middle = np.add(at, (0.0, 0.0, size[2] / 2))
    return Solid(loft.reshape(-1, 3) * size + middle, len(loft), color)


def box(
    size: Vector,
    at: Vector,
    color: Color,
    taper: tuple[float, float] = (1.0, 1.0),
    shift: tuple[float, float] = (0.0, 0.0),
) -> Solid:
    """A box whose top may be narrower (a roof) or shifted by a share of the size (a slope)."""
    return _solid(_frustum(4, taper, shift), size, at, color)


def drum(size: Vector, at: Vector, color: Color, taper: float = 1.0, axis: int = 2) -> Solid:
    """A cylinder or truncated cone along `axis` (0-2), as large as `size` on all three axes."""
    loft = np.roll(_frustum(24, (taper, taper), (0.0, 0.0)), axis + 1, axis=2)
    return _solid(loft, size, at, color)


def ball(size: Vector, at: Vector, color: Color) -> Solid:
    """An ellipsoid."""
    return _solid(_sphere(7, 14, 0.0), size, at, color)


def cushion(size: Vector, at: Vector, color: Color) -> Solid:
    """A pillow standing upright: square from the front, thick in the middle."""
    return _solid(np.roll(_sphere(8, 20, 0.55), 2, axis=2), size, at, color)


def soft(size: Vector, at: Vector, color: Color, radius: float = 0.05) -> Solid:
    """A box with rounded edges: the eight octants of a ball, pulled apart to the corners."""
    octants = _sphere(4, 8, 0.0)
    half = np.array(size) / 2
    vertices = octants * 2 * radius + np.sign(octants) * (half - radius)
    return Solid(vertices.reshape(-1, 3) + at + (0.0, 0.0, half[2]), 4, color)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera; `rotation` has the rows right, down and forward."""

    eye: Floats  # [3], in meters
    rotation: Floats  # [3, 3]
    focal: float  # pixels
    width: int
    height: int

    @classmethod
    def looking(
        cls, yaw: float, pitch: float, field_of_view: float, width: int, height: int
    ) -> "Camera":
        """At the origin, facing +y, turned right by `yaw` and up by `pitch`; all in degrees."""
        yaw, pitch = np.radians(yaw), np.radians(pitch)
        right = np.array([np.cos(yaw), -np.sin(yaw), 0.0])
        ahead = np.array([np.sin(yaw), np.cos(yaw), 0.0])
        forward = ahead * np.cos(pitch) + np.array([0.0, 0.0, np.sin(pitch)])
        rotation = np.array([right, np.cross(forward, right), forward])
        focal = max(width, height) / 2 / np.tan(np.radians(field_of_view) / 2)
        return cls(np.zeros(3), rotation, focal, width, height)

    def scaled(self, factor: int) -> "Camera":
        """The same view with `factor` times the pixels on each side."""
        return replace(
            self,
            focal=self.focal * factor,
            width=self.width * factor,
            height=self.height * factor,
        )

    def project(self, points: Floats) -> Floats:
        """Points [N, 3], in meters and in front of the camera, to pixels [N, 2]."""
        x, y, depth = self.rotation @ (points - self.eye).T
        scale = self.focal / np.maximum(depth, NEAR)
        return np.column_stack([x * scale + self.width / 2, y * scale + self.height / 2])

    def clip(self, polygon: Floats) -> Floats:
        """The part [M, 3] of a polygon [N, 3] that lies beyond the near plane."""
        depths = (polygon - self.eye) @ self.rotation[2] - NEAR
        kept: list[Floats] = []
        for i, (start, end) in enumerate(zip(depths, np.roll(depths, -1), strict=True)):
            if start >= 0:
                kept.append(polygon[i])
            if (start >= 0) != (end >= 0):
                step = polygon[(i + 1) % len(polygon)] - polygon[i]
                kept.append(polygon[i] + step * start / (start - end))
        return np.array(kept).reshape(-1, 3)

    def homography(self, corner: Floats, along: Floats, down: Floats) -> Floats:
        """[3, 3], from plane coordinates (meters along, meters down, 1) to pixels."""
        lens = np.array(
            [
                [self.focal, 0.0, self.width / 2],
                [0.0, self.focal, self.height / 2],
                [0.0, 0.0, 1.0],
            ]
        )
        return lens @ self.rotation @ np.column_stack([along, down, corner - self.eye])


def fixed_point(pixels: Floats) -> NDArray[np.int32]:
    """Pixels as OpenCV wants them for drawing at a fraction of a pixel."""
    shifted = (np.clip(pixels, -1e5, 1e5) - 0.5) * (1 << SUBPIXEL_BITS)
    return np.rint(shifted).astype(np.int32)


def fill(image: MatLike, polygon: MatLike, color: Sequence[float]) -> None:
    """Fill a convex polygon [N, 2] given by `fixed_point`."""
    cv2.fillConvexPoly(image, polygon, color, cv2.LINE_8, SUBPIXEL_BITS)


def back_to_front(solids: Sequence[Solid], eye: Floats) -> list[int]:
    """Indices in painting order.

    A plane that parts two bounding boxes tells which one the eye sees first; this is exact for
    solids that lie along the axes, however large, where sorting by distance is not.
    """
    low = np.array([solid.low for solid in solids]).reshape(-1, 3)
    high = np.array([solid.high for solid in solids]).reshape(-1, 3)
    apart = high[:, None] <= low[None] + TOUCH  # [N, N, 3]: i ends before j begins
    # i may be painted first where the parting plane has the eye on j's side.
    i_first = (apart & (eye >= high[:, None] - TOUCH)).any(axis=2)
    i_first |= (apart.swapaxes(0, 1) & (eye <= low[:, None] + TOUCH)).any(axis=2)
    waits_for = np.logical_and(i_first.T, ~i_first)  # [N, N]
    by_distance = np.argsort(-np.linalg.norm((low + high) / 2 - eye, axis=1))
    waits_for = waits_for[np.ix_(by_distance, by_distance)]
    pending = waits_for.sum(axis=1)
    order = []
    for _ in solids:
        ready = int(pending.argmin())
        order.append(int(by_distance[ready]))
        pending -= waits_for[:, ready]
        pending[ready] = len(solids) * 2
    return order


@lru_cache(maxsize=32)
def _faces(rings: int, sides: int) -> tuple[tuple[NDArray[np.intp], ...], NDArray[np.intp]]:
    """A loft's faces as vertex indices, outside counter-clockwise, and 4 corners of each."""
    grid = np.arange(rings * sides).reshape(rings, sides)
    around = np.roll(grid, -1, axis=1)
    walls = np.stack([grid[:-1], around[:-1], around[1:], grid[1:]], axis=-1).reshape(-1, 4)
    faces = (*walls, grid[0, ::-1], grid[-1])
    corners = [[face[len(face) * k // 4] for k in range(4)] for face in faces]
    return faces, np.array(corners)


def paint(canvas: MatLike, solids: Sequence[Solid], camera: Camera, to_light: Floats) -> None:
    """Paint solids onto an RGB canvas, lit by a far lamp in the direction `to_light`."""
    for index in back_to_front(solids, camera.eye):
        _paint_solid(canvas, solids[index], camera, to_light)


def _paint_solid(canvas: MatLike, solid: Solid, camera: Camera, to_light: Floats) -> None:
    faces, corners = _faces(solid.rings, len(solid.vertices) // solid.rings)
    a, b, c, d = solid.vertices[corners].swapaxes(0, 1)
    normals = np.cross(c - a, d - b)
    seen = np.flatnonzero(((camera.eye - a) * normals).sum(axis=1) > 0)
    lengths = np.linalg.norm(normals, axis=1)
    light = AMBIENT + SUN * np.maximum(normals @ to_light / (lengths + 1e-12), 0)[:, None]
    colors = np.minimum(np.array(solid.color) * (1.0 if solid.glow else light), 255)
    colors = np.broadcast_to(colors, normals.shape)
    polygons = fixed_point(camera.project(solid.vertices))
    target = canvas if solid.opacity == 1 else canvas.copy()
    for face in seen:
        fill(target, polygons[faces[face]], colors[face].tolist())
    if solid.opacity < 1:
        cv2.addWeighted(target, solid.opacity, canvas, 1 - solid.opacity, 0, dst=canvas)


def silhouette(solid: Solid, camera: Camera) -> MatLike:
    """The outline [N, 2] of a solid in the picture, for `fill`."""
    return cv2.convexHull(fixed_point(camera.project(solid.vertices)))[:, 0]
