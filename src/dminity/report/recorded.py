"""The figures that the stages before have recorded, as they lie in metrics/."""

import json
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dminity.core.errors import DminityError, first_line
from dminity.evaluation.intervals import Estimate

Figures = dict[str, Any]
# A figure's name, and that of the ends of its interval.
LIMITS = ("", "_low", "_high")
OF_CLASS = {"class", "boxes", "photos"} | {
    f"{figure}{limit}" for figure in ("coco.AP50", "coco.AP", "openimages.AP50") for limit in LIMITS
}


class NoFigures(DminityError):
    """A file of figures is missing or damaged."""


@dataclass(frozen=True)
class Recorded:
    """What is known of the detector.

    evaluate, presence, export: the files of that name. per_class: a row per class, by its name.
    The others may be missing, and are empty then: data, check, cost and export_cost as figures,
    confusion as a table of `actual` and `predicted`.
    """

    evaluate: Figures
    presence: Figures
    export: Figures
    per_class: pd.DataFrame
    data: Figures
    check: Figures
    cost: Figures
    export_cost: Figures
    confusion: pd.DataFrame

    def estimate(self, protocol: str, name: str) -> Estimate:
        """A figure of a protocol with its interval; NaN where it is not known."""
        found = self.evaluate.get(protocol, {})
        return _estimate(*(found.get(f"{name}{limit}") for limit in LIMITS))

    def of_class(self, name: str, figure: str) -> Estimate:
        """A figure of a class with its interval."""
        return _estimate(*(self.per_class.at[name, f"{figure}{limit}"] for limit in LIMITS))

    def boxes(self, name: str, split: str) -> int | None:
        """How many boxes of a class a split has, if that is known."""
        found = self.data.get("per_class", {}).get(name, {}).get(split, {}).get("boxes")
        return None if found is None else int(found)


def _estimate(*values: Any) -> Estimate:
    """A figure and the ends of its interval, each a number or not known."""
    return Estimate(*(float("nan") if value is None else float(value) for value in values))


def read_recorded(metrics: Path) -> Recorded:
    """Read the folder of figures.

    Raises:
        NoFigures: if a file that has to be there is not, or one is damaged.
    """
    return Recorded(
        evaluate=_figures(metrics / "evaluate.json", "evaluate", {"images", "params_m", "gflops"}),
        presence=_figures(metrics / "presence.json", "export", {"per_class"}),
        export=_figures(metrics / "export.json", "export", {"model"}),
        per_class=_table(metrics / "per_class.csv", "evaluate", OF_CLASS).set_index("class"),
        data=_figures_if_there(metrics / "data.json", "merge"),
        check=_figures_if_there(metrics / "check.json", "check"),
        cost=_figures_if_there(metrics / "cost.json", "evaluate"),
        export_cost=_figures_if_there(metrics / "export_cost.json", "export"),
        confusion=_confusion(metrics / "plots" / "confusion.csv"),
    )


def _confusion(path: Path) -> pd.DataFrame:
    """The pairs of classes; none if the file is not there."""
    if not path.exists():
        return pd.DataFrame(columns=["actual", "predicted"])
    return _table(path, "evaluate", {"actual", "predicted"})


def _figures_if_there(path: Path, stage: str) -> Figures:
    """The figures of a file that may be missing."""
    return _figures(path, stage) if path.exists() else {}


def _figures(path: Path, stage: str, names: Set[str] = frozenset()) -> Figures:
    """The figures of a file, which a stage writes, with these names among others."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _missing(path, stage) from error
    except ValueError as error:
        raise NoFigures(f"{path}: {first_line(error)}; run `dvc repro -f -s {stage}`") from error
    if not isinstance(found, dict) or not names <= set(found):
        raise NoFigures(
            f"{path} has not the figures of this version; run `dvc repro -f -s {stage}`"
        )
    return found


def _table(path: Path, stage: str, columns: Set[str]) -> pd.DataFrame:
    """The table of a CSV file, which a stage writes, with these columns among others."""
    try:
        table = pd.read_csv(path)
    except FileNotFoundError as error:
        raise _missing(path, stage) from error
    except ValueError as error:
        raise NoFigures(f"{path}: {first_line(error)}; run `dvc repro -f -s {stage}`") from error
    if not columns <= set(table):
        raise NoFigures(
            f"{path} has not the columns of this version; run `dvc repro -f -s {stage}`"
        )
    return table


def _missing(path: Path, stage: str) -> NoFigures:
    """The error that says which file is not there."""
    return NoFigures(f"{path}: no such file; run `dvc repro {stage}`")
