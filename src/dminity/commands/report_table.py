"""The report for people: a table in the terminal."""

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dminity.core.splits import SPLITS
from dminity.data.checking.report import Report


class Terminal(Console):
    """Rich's console, without its own way to end a program whose output nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Raise the error that it was called for, as any other output does."""
        raise


def show(report: Report, console: Console) -> None:
    """Print a row per class, the figures of all, and what is wrong."""
    table = Table("class", caption="photos and boxes in use, of those published", box=None)
    for split in SPLITS:
        table.add_column(f"{split} photos", justify="right")
        table.add_column("boxes", justify="right")
    for share in ("small", "medium", "large", "groups"):
        table.add_column(share, justify="right")
    for _, row in report.classes.iterrows():
        table.add_row(*_cells(row))
    console.print(table)
    for name, value in report.figures.items():
        console.print(f"{name.replace('_', ' ')}: {value:g}", highlight=False)
    for fault in report.faults:
        console.print(Text(f"fault: {fault}", "bold red"), soft_wrap=True)
    if not report.faults:
        console.print("no faults", style="green")


def _cells(row: "pd.Series[str]") -> list[str]:
    """A class as a row of the table; a class without a box in use has no shares."""
    of_published = [
        f"{row[name]} of {row[f'published_{name}']}"
        for split in SPLITS
        for name in (f"{split}_photos", f"{split}_boxes")
    ]
    shares = [f"{float(row[name]):.0%}" for name in ("small", "medium", "large", "groups")]
    return [row["class"], *of_published, *shares]
