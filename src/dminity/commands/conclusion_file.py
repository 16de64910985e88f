"""The conclusion of a step of the ladder, as files in docs/experiments."""

import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from dminity.commands.experiment_runs import REPRO, Planned
from dminity.commands.git import git
from dminity.commands.project_copy import READ, uncommitted
from dminity.core.files import replacing_file
from dminity.core.progress import Progress
from dminity.core.stage import METRICS
from dminity.report.comparison import Comparison, compare
from dminity.report.comparison_chart import latency_chart
from dminity.report.comparison_page import DPI, as_markdown
from dminity.report.ladder_page import Making, ladder_page
from dminity.report.recipes import recipes
from dminity.report.variants import NotAtHand, Variant, baseline, experiments, read_variant
from dminity.runtime.finding import cores

FOLDER = Path("docs/experiments")


def write_conclusion(
    root: Path, step: str, question: str, finished: Sequence[Planned], failed: Sequence[str]
) -> Path:
    """Compare what a step's experiments gave, and write down what follows; the page's path.

    The run of the last commit is beside them, and all seeds that are known of any of them.

    Args:
        root: the project.
        step: its name, and that of the page.
        question: that it answers.
        finished: its experiments.
        failed: the names of those that did not end well.
    """
    names = dict.fromkeys([each.name for each in finished])
    base = read_variant(baseline())
    wanted = [read_variant(name) for name in names]
    if base.figures and base.rev not in {variant.rev for variant in wanted}:
        wanted.insert(0, base)
    against = next((variant for variant in wanted if variant.rev == base.rev), None)
    variants = _with_other_seeds(wanted)
    comparison = compare(variants, against, None, cores())
    page = FOLDER / f"{step}.md"
    text = ladder_page(
        question,
        Making(f"dminity ladder {step}", date.today().isoformat(), _commit(root), _machine(wanted)),
        ({base.name: REPRO} if against else {}) | {each.name: each.command for each in finished},
        [row.recipe for row in comparison.rows],
        failed,
        as_markdown(comparison, _draw(comparison, root / page) if len(finished) > 1 else ""),
    )
    with replacing_file(root / page) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return page


def _with_other_seeds(wanted: Sequence[Variant]) -> list[Variant]:
    """Variants, and all experiments that differ from one of them in their seed only."""
    revs = {variant.rev for variant in wanted}
    names = experiments()
    others = [
        variant
        for variant in map(read_variant, Progress("read", names, len(names), unit="variant"))
        if variant.rev not in revs and variant.figures
    ]
    return [
        variant
        for recipe in recipes([*wanted, *others])
        for variant in recipe.variants()
        if variant.rev in revs
        or (variant in recipe.trainings and any(one.rev in revs for one in recipe.variants()))
    ]


def _draw(comparison: Comparison, page: Path) -> str:
    """Draw the chart beside a page; its name, or nothing if there is nothing to draw."""
    drawn = latency_chart(comparison)
    if drawn is None:
        return ""
    with replacing_file(page.with_suffix(".png")) as unfinished:
        drawn.savefig(
            unfinished, format="png", dpi=DPI, facecolor="white", metadata={"Software": None}
        )
    return page.with_suffix(".png").name


def _commit(root: Path) -> str:
    """The last commit, and whether what ran may have been something else."""
    return f"commit {git(root, 'rev-parse', '--short', 'HEAD')}" + (
        " with changes that are not committed" if uncommitted(root, *READ) else ""
    )


def _machine(variants: Sequence[Variant]) -> str:
    """The machine: processors, and the threads that `evaluate` had."""
    counts = sorted({count for variant in variants if (count := _threads(variant)) is not None})
    threads = f"; threads of PyTorch: {' or '.join(map(str, counts))}" if counts else ""
    return f"a machine of {os.cpu_count()} processors{threads}"


def _threads(variant: Variant) -> int | None:
    """The threads that a variant was measured with; None if that is not known."""
    try:
        count = json.loads(variant.read(METRICS / "cost.json")).get("threads")
    except (NotAtHand, ValueError):
        return None
    return count if isinstance(count, int) else None
