"""AP over latency as a chart, with the front of those that nothing beats in both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from dminity.report.charts import BLUE, GRAY, INK, chart
from dminity.report.comparison import AP, Comparison, Row
from dminity.report.conclusion import SAME

INCHES = (7.5, 4.6)
# From there on, the fast ones would crowd at the edge of a linear axis.
LOG_FROM = 4.0
# Where a label may stand beside its point, in points; from the third on a line leads to it.
DISTANCES = (7.0, 14.0, 22.0, 30.0, 40.0, 52.0, 66.0, 82.0, 100.0, 120.0)
NEAR = 14.0
SIDES = ((1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1))
# Left and right of the points, the axis has so much room at least: times that are nearly the same
# stand beside each other.
ROOM = 1.25
# Half the width that lines and markers are taken to have.
LINE_PIXELS = 5.0


@dataclass(frozen=True)
class Point:
    """A variant on the chart; low, high: the ends of its bar."""

    name: str
    ms: float
    ap: float
    low: float
    high: float


def latency_chart(comparison: Comparison) -> Figure | None:
    """The chart; None where no variant has both an AP and a time."""
    points = sorted(_points(comparison.rows), key=lambda point: (point.ms, -point.ap))
    if not points:
        return None
    figure = chart(lambda axes: _draw(axes, points), INCHES)
    _label(figure, points)
    return figure


def _pareto(points: Sequence[Point]) -> list[Point]:
    """Those that no other beats in AP without more milliseconds, fastest first.

    As in the rules of the conclusion, times that differ little are the same.
    """
    front: list[Point] = []
    for point in sorted(points, key=lambda point: (-point.ap, point.ms)):
        if not front or point.ms * SAME < front[-1].ms:
            front.append(point)
    return front[::-1]


def _points(rows: Sequence[Row]) -> Iterator[Point]:
    """The variants that are ranked and timed."""
    for row in rows:
        ap = row.candidate.ap
        if ap is None or row.candidate.outside or row.latency is None:
            continue
        low, high = ap.mean - ap.deviation, ap.mean + ap.deviation
        if ap.count == 1:
            limits = [row.variant.figure(f"{AP}_{end}") for end in ("low", "high")]
            low, high = (ap.mean if limit is None else limit for limit in limits)
        yield Point(row.candidate.name, row.latency.total.median_ms, ap.mean, low, high)


def _draw(axes: Axes, points: Sequence[Point]) -> None:
    """Points with their bars, and the front."""
    front = _pareto(points)
    axes.step(
        [point.ms for point in front], [point.ap for point in front],
        where="post", color=GRAY, linestyle="--", linewidth=1, zorder=1,
    )  # fmt: skip
    for point in points:
        axes.errorbar(
            point.ms, point.ap, [[point.ap - point.low], [point.high - point.ap]],
            fmt="o", markersize=7, capsize=3, linewidth=1.2,
            color=BLUE if point in front else GRAY,
        )  # fmt: skip
    axes.set_xlabel("milliseconds a photo, median")
    axes.set_ylabel("COCO AP")
    axes.margins(x=0.16, y=0.12)
    if points[-1].ms >= LOG_FROM * points[0].ms:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    left, right = axes.get_xlim()
    axes.set_xlim(min(left, points[0].ms / ROOM), max(right, points[-1].ms * ROOM))


def _label(figure: Figure, points: Sequence[Point]) -> None:
    """Write each name beside its point, where it covers nothing else."""
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    front = _pareto(points)
    taken = [_box(axes, (point.ms, point.low), (point.ms, point.high)) for point in points]
    for one, other in pairwise(front):
        taken.append(_box(axes, (one.ms, one.ap), (other.ms, one.ap)))
        taken.append(_box(axes, (other.ms, one.ap), (other.ms, other.ap)))
    for point in points:
        taken.append(_place(axes, point, taken))


def _box(axes: Axes, begin: tuple[float, float], end: tuple[float, float]) -> Bbox:
    """What an upright or level line covers, in pixels."""
    return Bbox(axes.transData.transform([begin, end])).padded(LINE_PIXELS)


def _place(axes: Axes, point: Point, taken: Sequence[Bbox]) -> Bbox:
    """Write a name at the first place that is free, or at the last one; what it covers."""
    places = list(product(DISTANCES, SIDES))
    for number, (distance, (right, up)) in enumerate(places):
        line = {"arrowstyle": "-", "color": GRAY, "linewidth": 0.6} if distance > NEAR else None
        label = axes.annotate(
            point.name, (point.ms, point.ap), (right * distance, up * distance),
            textcoords="offset points", arrowprops=line, color=INK, fontsize=9,
            ha=("right", "center", "left")[right + 1], va=("top", "center", "bottom")[up + 1],
        )  # fmt: skip
        # It puts the label to its place. Its line may cross others.
        label.get_window_extent()
        box = Bbox(Text.get_window_extent(label).get_points())
        inside = all(axes.bbox.contains(*corner) for corner in box.corners())
        if number == len(places) - 1 or (inside and not any(map(box.overlaps, taken))):
            return box
        label.remove()
    raise AssertionError("there are places")
