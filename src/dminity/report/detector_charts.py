"""The charts of a detector's page."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dminity.report.charts import BLUE, GRAY, INK, ORANGE, chart

SMALL_INCHES = (2.3, 1.8)
# A square of the confusion matrix, and what names take beside it.
SQUARE_INCHES, NAMES_INCHES = 0.26, 2.0


def curve_of_class(curve: pd.DataFrame, mean: pd.DataFrame) -> Figure:
    """Precision over recall of a class, and the mean of all classes behind it."""

    def draw(axes: Axes) -> None:
        axes.plot(mean["recall"], mean["precision"], color=GRAY, linewidth=1)
        axes.plot(curve["recall"], curve["precision"], color=BLUE, linewidth=1.8)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.05), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))

    return chart(draw, SMALL_INCHES)


def confusion_matrix(counts: pd.DataFrame) -> Figure:
    """A square for each pair of classes that was seen, stronger the larger its share of the row."""
    names = list(counts.index)
    values = counts.to_numpy()
    shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1)

    def draw(axes: Axes) -> None:
        for row, column in zip(*np.nonzero(values), strict=True):
            color = BLUE if row == column else ORANGE
            strength = 0.15 + 0.5 * shares[row, column]
            corner = (float(column) - 0.5, float(row) - 0.5)
            axes.add_patch(Rectangle(corner, 1, 1, color=color, alpha=strength, linewidth=0))
            axes.text(column, row, str(values[row, column]), ha="center", va="center", fontsize=7)
        axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.xaxis.tick_top()
        # Lines between the squares and not through their numbers.
        axes.set_xticks(np.arange(-0.5, len(names)), minor=True)
        axes.set_yticks(np.arange(-0.5, len(names)), minor=True)
        axes.grid(visible=False, which="major")
        axes.grid(which="minor")
        axes.tick_params(which="both", length=0)
        axes.set(xlabel="found", ylabel="there")
        axes.xaxis.set_label_position("top")

    side = SQUARE_INCHES * len(names) + NAMES_INCHES
    return chart(draw, (side, side))


def gains(errors: pd.DataFrame) -> Figure:
    """What mending each kind of error would add to AP50."""

    def draw(axes: Axes) -> None:
        bars = axes.barh(errors["error"], errors["gain"], color=ORANGE)
        axes.bar_label(bars, fmt=" +%.3f", color=INK)
        axes.invert_yaxis()
        axes.margins(x=0.2)
        axes.grid(visible=False, axis="y")
        axes.set(xlabel="gain of AP50, each mended alone")

    return chart(draw)


def reliability(table: pd.DataFrame) -> Figure:
    """The share of right detections over their score."""

    def draw(axes: Axes) -> None:
        axes.plot((0, 1), (0, 1), color=GRAY, linewidth=1)
        below, above = table["right"] - table["right_low"], table["right_high"] - table["right"]
        axes.errorbar(
            *(table["score"], table["right"]), yerr=np.clip([below, above], 0, None),
            fmt="o", color=BLUE, capsize=3,
        )  # fmt: skip
        axes.set(xlim=(0, 1), ylim=(0, 1.03), xlabel="score", ylabel="share that is right")

    return chart(draw)


def recalls(table: pd.DataFrame, name: str) -> Figure:
    """The recall of each group of boxes.

    Args:
        table: `group`, `boxes` and `recall`.
        name: what the groups are of.
    """

    def draw(axes: Axes) -> None:
        names = [
            f"{group}\n({boxes})"
            for group, boxes in zip(table["group"], table["boxes"], strict=True)
        ]
        bars = axes.bar(names, table["recall"], color=BLUE, width=0.6)
        axes.bar_label(bars, fmt="%.2f", color=INK)
        axes.grid(visible=False, axis="x")
        axes.set(ylim=(0, 1.08), xlabel=f"{name} (boxes)", ylabel="recall")

    return chart(draw)
