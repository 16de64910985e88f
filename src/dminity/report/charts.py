"""Charts as figures of matplotlib, and as SVG to put into a page.

They take the page's colors, light or dark, and the page's font: text stays text, which can be
searched, copied and read aloud.
"""

import hashlib
import io
import re
from collections.abc import Callable

from markupsafe import Markup
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Stand-ins: in a page they become its colors of text and of lines.
INK, LINE = "#1b1b1c", "#d3d3d5"
# Told apart by color-blind people, on white and on black (Okabe & Ito, 2008).
BLUE, ORANGE, GREEN, PURPLE, GRAY = "#0072b2", "#d55e00", "#009e73", "#b5578c", "#7c7c82"
COLORS = (BLUE, ORANGE, GREEN, PURPLE, GRAY)
INCHES = (4.6, 3.2)
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": LINE,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 10,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "text.color": INK,
    "xtick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.color": LINE,
    "ytick.labelcolor": INK,
}
# The same chart is the same text; and nothing of the machine is in it.
SVG_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "dminity"}
START = Markup(
    '<svg viewBox="0 0 {} {}" style="min-width: {}px; max-width: {}px" role="img" aria-label="{}">'
)
POINTS = 72
# Its text stays readable on a narrow screen, and does not shout on a wide one.
SMALLEST, LARGEST = 0.95, 1.65
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def chart(draw: Callable[[Axes], object], inches: tuple[float, float] = INCHES) -> Figure:
    """A figure in our style, filled by a function that draws on its axes."""
    with style.context(STYLE):
        figure = Figure(figsize=inches, layout="constrained")
        axes = figure.subplots()
        axes.set_prop_cycle(color=COLORS)
        draw(axes)
        return figure


def svg(figure: Figure, title: str) -> Markup:
    """A chart as an element `<svg>`, its ids unlike those of any other chart.

    Args:
        figure: the chart.
        title: what it shows, for who cannot see it.
    """
    drawing = io.StringIO()
    with style.context(SVG_STYLE):
        figure.savefig(drawing, format="svg", transparent=True, metadata=NO_METADATA)
    text = drawing.getvalue()
    element = text[text.index("<svg") :]
    _, _, inner = element.partition(">")
    width, height = (POINTS * float(side) for side in figure.get_size_inches())
    limits = (f"{width * SMALLEST:.0f}", f"{width * LARGEST:.0f}")
    prefix = hashlib.sha256((title + element).encode()).hexdigest()[:8]
    inner = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>c{prefix}-", inner)
    inner = inner.replace(INK, "currentColor").replace(LINE, "var(--line)")
    start = START.format(*(f"{side:g}" for side in (width, height)), *limits, title)
    # matplotlib escapes what was drawn.
    return start + Markup(inner)  # noqa: S704
