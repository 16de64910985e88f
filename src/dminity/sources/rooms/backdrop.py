"""What lies behind the furniture: floor, walls and ceiling, or lawn and sky.

Each plane of a room has a texture drawn flat, soft shadows of the furniture included, which a
homography then puts into perspective.
"""

from collections.abc import Sequence
from operator import itemgetter

import cv2
import numpy as np
from cv2.typing import MatLike

from dminity.sources.rooms.layout import CEILING, KINDS, Thing
from dminity.sources.rooms.solids import Camera, Color, Floats, fill, fixed_point

TEXELS = 45  # texture pixels per meter
FLOORS: dict[str, tuple[Color, ...]] = {
    "planks": ((204, 164, 118), (176, 130, 92), (214, 186, 150)),
    "tiles": ((226, 220, 210), (206, 212, 214), (222, 202, 184)),
    "grass": ((128, 178, 92), (140, 184, 100)),
}
RUGS: tuple[Color, ...] = ((196, 112, 92), (92, 124, 148), (132, 152, 118), (206, 170, 104))
RUG_BORDER: Color = (240, 228, 205)
X, Y, Z = np.eye(3)


def paint_backdrop(
    name: str,
    furnished: Sequence[Thing],
    things: Sequence[Thing],
    camera: Camera,
    rng: np.random.Generator,
) -> MatLike:
    """The picture [H, W, 3], uint8, RGB, of the empty room and the shadows of what stands in it.

    Its walls are those of the room as it was furnished; `things` are what has stayed.
    """
    kind = KINDS[name]
    left, right, front = _extent(furnished, camera)
    color = kind.walls[rng.integers(len(kind.walls))]
    tone = FLOORS[kind.floor][rng.integers(len(FLOORS[kind.floor]))]
    outdoors = kind.floor == "grass"
    if outdoors:
        image = _sky(camera, color, rng)
        left, right, back = left - 5, right + 5, 2.5
    else:
        image = np.empty((camera.height, camera.width, 3), np.uint8)
        back = 0.0
    floor = _floor(kind.floor, right - left, back - front, tone, rng)
    if kind.floor == "planks":
        _lay_rug(floor, -left, rng)
    shadows = [
        ((solid.vertices[:, :2] - (left, back)) * (1, -1), 0.5 * (1 - solid.low[2]))
        for thing in things
        for solid in thing.solids
        if solid.low[2] < 0.9
    ]
    _shade(floor, shadows)
    if not outdoors:
        _let_sun_in(floor, left, front, rng)
    _paint_plane(image, camera, np.array([left, back, 0]), X, -Y, floor)
    if not outdoors:
        _paint_walls(image, camera, things, (left, right, front), color)
    return image


def _extent(things: Sequence[Thing], camera: Camera) -> tuple[float, float, float]:
    """Left, right and front of a room that holds all things and the camera."""
    inside = [thing for thing in things if thing.low[1] < 0]
    left = min(*(t.low[0] for t in inside), camera.eye[0]) - 0.25
    right = max(*(t.high[0] for t in inside), camera.eye[0]) + 0.25
    return left, right, camera.eye[1] - 0.5


def _paint_walls(
    image: MatLike,
    camera: Camera,
    things: Sequence[Thing],
    extent: tuple[float, float, float],
    color: Color,
) -> None:
    left, right, front = extent
    ceiling = _plain(right - left, -front, (248, 245, 238))
    _paint_plane(image, camera, np.array([left, 0, CEILING]), X, -Y, ceiling)
    side = _plain(-front, CEILING, tuple(0.93 * np.array(color)))
    _paint_plane(image, camera, np.array([left, 0, CEILING]), -Y, -Z, side)
    _paint_plane(image, camera, np.array([right, 0, CEILING]), -Y, -Z, side)
    wall = _plain(right - left, CEILING, color)
    shadows = [
        ((solid.vertices[:, ::2] - (left, CEILING)) * (1, -1), 0.3)
        for thing in things
        for solid in thing.solids
        if solid.high[1] > -0.25
    ]
    _shade(wall, shadows)
    _paint_plane(image, camera, np.array([left, 0, CEILING]), X, -Z, wall)


def _plain(width: float, height: float, color: Color) -> MatLike:
    """A painted surface (meters), a little darker towards its edges and its foot."""
    rows, columns = int(height * TEXELS) + 1, int(width * TEXELS) + 1
    x, y = np.linspace(-1, 1, columns), np.linspace(-1, 1, rows)[:, None]
    light = 1.02 - 0.1 * x**6 - 0.07 * y**6 - 0.04 * y
    return np.asarray(np.minimum(light[..., None] * color, 255), np.uint8)


def _floor(
    pattern: str, width: float, depth: float, tone: Color, rng: np.random.Generator
) -> MatLike:
    """A floor of planks or tiles, or a lawn (meters)."""
    rows, columns = int(depth * TEXELS) + 1, int(width * TEXELS) + 1
    y, x = (np.mgrid[:rows, :columns] / TEXELS).astype(np.float32)
    if pattern == "planks":
        row = (y / 0.18).astype(int)
        place = x + rng.uniform(0, 2, row.max() + 1)[row]
        cell = row * 97 + (place / 1.4).astype(int)
        seam = (y % 0.18 < 0.02) | (place % 1.4 < 0.02)
        spread, seam_light = 0.07, 0.86
    elif pattern == "tiles":
        cell = (y / 0.45).astype(int) * 97 + (x / 0.45).astype(int)
        seam = (y % 0.45 < 0.022) | (x % 0.45 < 0.022)
        spread, seam_light = 0.025, 0.9
    else:
        cell = (y / 0.7).astype(int)
        seam, spread, seam_light = np.zeros_like(y, bool), 0.04, 1.0
    light = 1 + spread * rng.uniform(-1, 1, cell.max() + 1).astype(np.float32)[cell]
    light[seam] = seam_light
    return np.asarray(np.minimum(light[..., None] * np.array(tone, np.float32), 255), np.uint8)


def _shade(texture: MatLike, shadows: Sequence[tuple[Floats, float]]) -> None:
    """Darken, with soft edges, the hulls of points (n, 2; meters) by a strength (0-1)."""
    dark = np.zeros(texture.shape[:2], np.float32)
    for points, strength in sorted(shadows, key=itemgetter(1)):
        fill(dark, cv2.convexHull(fixed_point(points * TEXELS)), (strength,))
    light = 1 - cv2.blur(cv2.blur(dark, (17, 17)), (13, 13))
    texture[:] = texture * light[..., None]


def _lay_rug(floor: MatLike, middle: float, rng: np.random.Generator) -> None:
    """An oval rug with a border, in front of the row along the back wall."""
    center = round(middle * TEXELS), round(rng.uniform(2.2, 2.7) * TEXELS)
    color = RUGS[rng.integers(len(RUGS))]
    for size, tone in ((1.0, color), (0.9, RUG_BORDER), (0.84, color)):
        axes = round(1.7 * size * TEXELS), round(1.0 * size * TEXELS)
        cv2.ellipse(floor, center, axes, 0, 0, 360, tone, cv2.FILLED, cv2.LINE_AA)


def _let_sun_in(floor: MatLike, left: float, front: float, rng: np.random.Generator) -> None:
    """Brighten the floor where the sun falls through a window with four panes."""
    light = np.zeros(floor.shape[:2], np.float32)
    x0, y0 = rng.uniform(0.6, 0.2 - left), rng.uniform(1.2, -0.45 * front)
    for x in (0, 0.75):
        for y in (0, 0.65):
            pane = np.array([[x, y], [x + 0.65, y], [x + 1.0, y + 0.55], [x + 0.35, y + 0.55]])
            fill(light, fixed_point(np.add(pane, (x0 + 0.5 * y, y0)) * TEXELS), (0.15,))
    warm = cv2.blur(light, (5, 5))[..., None] * np.array([1.0, 0.9, 0.6])
    floor[:] = np.minimum(floor * (1 + warm), 255)


def _paint_plane(
    image: MatLike, camera: Camera, corner: Floats, along: Floats, down: Floats, texture: MatLike
) -> None:
    """Put a texture into the picture; `corner` is its top left, `along` and `down` its axes."""
    height, width = texture.shape[:2]
    sides = along * width / TEXELS, down * height / TEXELS
    polygon = camera.clip(
        np.array([corner, corner + sides[0], corner + sum(sides), corner + sides[1]])
    )
    if len(polygon) < 3:
        return
    mask = np.zeros(image.shape[:2], np.uint8)
    fill(mask, fixed_point(camera.project(polygon)), (255,))
    x, y, w, h = cv2.boundingRect(mask)
    if not w:
        return
    # Warp only the part of the picture that the plane fills.
    homography = camera.homography(corner, along / TEXELS, down / TEXELS)
    homography = np.array([[1.0, 0.0, -x], [0.0, 1.0, -y], [0.0, 0.0, 1.0]]) @ homography
    view = cv2.warpPerspective(texture, homography, (w, h), borderMode=cv2.BORDER_REPLICATE)
    window = np.s_[y : y + h, x : x + w]
    cv2.copyTo(view, mask[window], image[window])


def _sky(camera: Camera, color: Color, rng: np.random.Generator) -> MatLike:
    """A blue sky, paler towards the horizon, with a few clouds."""
    height, width = camera.height, camera.width
    fade = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    high, low = np.array(color, np.float32), np.array((250, 246, 230), np.float32)
    sky = high + fade * (low - high)  # [H, 1, 3]
    clouds = np.zeros((height, width), np.float32)
    for _ in range(6):
        x, y = rng.uniform(0, width), rng.uniform(0, 0.35 * height)
        for _ in range(4):
            middle = round(x + rng.normal(0, 40)), round(y + rng.normal(0, 8))
            cv2.ellipse(clouds, (middle, (rng.uniform(50, 110), rng.uniform(16, 34)), 0), 0.8, -1)
    white = cv2.blur(cv2.blur(clouds, (25, 25)), (25, 25))[..., None]
    return np.asarray(sky + (255 - sky) * white, np.uint8)
