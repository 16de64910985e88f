"""What a step of the ladder concludes, as a page of Markdown for docs/experiments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dminity.report.comparison_page import TITLE
from dminity.report.markdown import escaped, table
from dminity.report.recipes import Recipe
from dminity.report.variants import Variant

ABSENT = "-"


@dataclass(frozen=True)
class Making:
    """How a page came about.

    command: that of the step. date: when it was written. commit: of the project, and whether
    something was changed since. machine: its processors and threads.
    """

    command: str
    date: str
    commit: str
    machine: str


def ladder_page(
    question: str,
    making: Making,
    commands: Mapping[str, str],
    recipes: Sequence[Recipe],
    failed: Sequence[str],
    comparison: str,
) -> str:
    """The page.

    Args:
        question: that the step answers.
        making: how the page came about.
        commands: what made each variant, by its name.
        recipes: what is compared.
        failed: names of experiments that did not end well.
        comparison: of them, as `report/comparison_page.py` writes it.
    """
    variants = [variant for recipe in recipes for variant in recipe.trainings]
    made = [f"{command}  # {name}" for name, command in commands.items()]
    return "\n".join(
        [
            f"# {question}",
            "",
            f"Written by `{making.command}` on {making.date}, of {making.commit}, on "
            f"{making.machine}.",
            "",
            "```sh",
            *made,
            "```",
            "",
            *_changed_table([recipe.trainings[0] for recipe in recipes]),
            comparison.replace(f"# {TITLE}", "## Conclusion", 1).strip(),
            "",
            "## Limits",
            *(f"- {escaped(name)} failed, and is not here." for name in failed),
            *(f"- {limit}" for limit in _limits(recipes, variants)),
            "",
        ]
    )


def _changed_table(variants: Sequence[Variant]) -> Iterator[str]:
    """The parameters in which variants differ, seeds aside, as a section; nothing, if in none."""
    flat = [dict(_flattened(variant.params)) for variant in variants]
    names = {name: None for params in flat for name in params if name != "train.seed"}
    rows = [[name, *(_shown(params.get(name, ABSENT)) for params in flat)] for name in names]
    differing = [row for row in rows if len(set(row[1:])) > 1]
    if differing:
        columns = ["parameter", *(escaped(variant.name) for variant in variants)]
        yield from ("## Parameters", "")
        yield table(columns, differing, [False] * len(columns))
        yield ""


def _flattened(params: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Parameters by their dotted names.

    >>> dict(_flattened({"train": {"lr": 0.1}, "seed": 1}))
    {'train.lr': 0.1, 'seed': 1}
    """
    for name, value in params.items():
        if isinstance(value, Mapping) and value:
            yield from _flattened(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _shown(value: Any) -> str:
    """A parameter's value in a cell."""
    return escaped(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _limits(recipes: Sequence[Recipe], variants: Sequence[Variant]) -> Iterator[str]:
    """What the page cannot tell."""
    single = [escaped(each.name) for each in recipes if len(each.trainings) == 1]
    if single:
        spreads = [
            f"{figure.deviation:.3f} ({escaped(each.name)})"
            for each in recipes
            if len(each.trainings) > 1 and (figure := each.over_seeds("coco.AP"))
        ]
        known = f"; the spread of coco.AP between seeds is {', '.join(spreads)}" if spreads else ""
        yield (
            f"One training each of {', '.join(single)}: one seed says little{known}. `dminity "
            "seeds -n 5 -S …` trains more, and the same command writes this page again."
        )
    photos = sorted({count for each in variants if (count := each.figure("images")) is not None})
    if photos:
        counts = " or ".join(f"{count:.0f}" for count in photos)
        yield f"The test split has {counts} photos; intervals are over photos, and of 95 %."
    if any(variant.param("source") == "demo" for variant in variants):
        yield "`source: demo`: rooms that the project renders. Of real photos they say nothing."
    for variant in variants:
        if variant.missing:
            yield f"{escaped(variant.name)} has no {', '.join(variant.missing)}."
