"""A comparison as files: Markdown, one HTML page, and the chart as a picture."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from markupsafe import Markup
from matplotlib.figure import Figure

from dminity.core.errors import DminityError, some
from dminity.core.files import replacing_folder
from dminity.report import markdown, page
from dminity.report.comparison import Comparison
from dminity.report.comparison_chart import latency_chart
from dminity.report.comparison_tables import Table, cost, quality
from dminity.report.conclusion import Candidate

NAME = "comparison"
FILES = {f"{NAME}.{kind}" for kind in ("md", "html", "png")}
SHOWN_FILES = 3
DPI = 160
TITLE = "Variants compared"
FIND = (
    "COCO's AP and AP50 on the test split, with intervals of 95 % over photos; of several seeds, "
    "mean ± standard deviation. A difference that is noise may turn around with other photos. "
    'Presence: how often "this photo shows it" is right, and for how many of those that show it '
    "it is said."
)
SPEND = (
    "The file is model.onnx. Milliseconds are medians and 95th percentiles of one photo on the "
    "CPU, all variants in turn in one run, after a warm-up ({threads}): the network, non-maximum "
    "suppression, and all from pixels to detections, letterbox included; reading the file is not. "
    "Training is the time that its photos took by the speed that it recorded, on the machine that "
    "trained it, without validation."
)
SHOWN = (
    "Bars are intervals of 95 % over photos; of several seeds, one standard deviation. The dashed "
    "line joins those that no other beats in AP in the same time or less; times that differ by 5 % "
    "or less are the same."
)


class NotOurs(DminityError):
    """A folder holds files that would be lost."""


def write_files(comparison: Comparison, folder: Path) -> None:
    """Write comparison.md, comparison.html and, if anything was timed, comparison.png: all or none.

    Raises:
        NotOurs: if the folder, which is replaced as a whole, holds anything else.
    """
    others = sorted({path.name for path in folder.iterdir()} - FILES) if folder.is_dir() else []
    if others:
        raise NotOurs(
            f"{folder} holds other files than a comparison ({some(others, SHOWN_FILES)}), which "
            "would be lost; name a folder of its own, as --output comparison"
        )
    drawn = latency_chart(comparison)
    with replacing_folder(folder) as unfinished:
        if drawn:
            drawn.savefig(
                unfinished / f"{NAME}.png", dpi=DPI, facecolor="white", metadata={"Software": None}
            )
        text = as_markdown(comparison, f"{NAME}.png" if drawn else "")
        (unfinished / f"{NAME}.md").write_text(text, encoding="utf-8")
        page.write_page(
            unfinished / f"{NAME}.html", TITLE, _subtitle(comparison), _sections(comparison, drawn)
        )


def as_markdown(comparison: Comparison, picture: str) -> str:
    """The comparison as Markdown; picture: the chart's file, empty for none."""
    conclusion = comparison.conclusion
    parts = [
        f"# {TITLE}",
        markdown.escaped(" ".join(conclusion.sentences)),
        _bullets(conclusion.pros_and_cons),
        f"![AP over milliseconds]({picture})\n\n{SHOWN}" if picture else "",
        "## What they find",
        _markdown_table(quality(comparison)),
        markdown.escaped(FIND),
        "## What they cost",
        _markdown_table(cost(comparison)),
        markdown.escaped(SPEND.format(threads=threads(comparison))),
        markdown.folded("Rules of the conclusion", _bullets(conclusion.rules)),
    ]
    if comparison.notes:
        parts += ["## Notes", _bullets(comparison.notes)]
    return "\n\n".join(filter(None, parts)) + "\n"


def threads(comparison: Comparison) -> str:
    """With how many threads the models were timed."""
    if comparison.measured is None:
        return "none of them timed here"
    count = comparison.measured.threads
    said = "1 thread" if count == 1 else f"{count} threads"
    if comparison.measured.busy:
        said += ", beside other programs that kept the machine busy, so that times are too long"
    return said


def _subtitle(comparison: Comparison) -> str:
    """What the page is about."""
    return f"{len(comparison.rows)} variants on the test split, beside {comparison.reference}"


def _sections(comparison: Comparison, drawn: Figure | None) -> list[page.Section]:
    """The parts of the page."""
    conclusion = comparison.conclusion
    said = Markup("").join(map(page.paragraph, conclusion.sentences))
    sections = [
        page.Section(
            "Conclusion",
            "Which variant to take, by the rules below.",
            _chosen(comparison) + said + _items(conclusion.pros_and_cons),
        )
    ]
    if drawn:
        picture = page.figure(drawn, "AP over milliseconds of each variant", SHOWN)
        sections.append(page.Section("AP over latency", "Up and to the left is better.", picture))
    sections += [
        _table_section("What they find", FIND, quality(comparison)),
        _table_section(
            "What they cost", SPEND.format(threads=threads(comparison)), cost(comparison)
        ),
        page.Section("Rules", "What the conclusion follows.", _items(conclusion.rules)),
    ]
    if comparison.notes:
        why = "What is missing above, and why; and what counts as one."
        sections.append(page.Section("Notes", why, _items(comparison.notes)))
    return sections


def _chosen(comparison: Comparison) -> Markup:
    """The variants to choose from, in large letters."""
    conclusion = comparison.conclusion
    by_name = {row.candidate.name: row.candidate for row in comparison.rows}
    figures = []
    if best := by_name.get(conclusion.best):
        figures.append(page.KeyFigure("highest AP", best.name, _ap(best)))
    if smallest := by_name.get(conclusion.smallest):
        note = f"{_ap(smallest)}, {smallest.size_mb:.1f} MB"
        figures.append(page.KeyFigure("smallest within its noise", smallest.name, note))
    if fastest := by_name.get(conclusion.fastest):
        note = f"{_ap(fastest)}, {fastest.total_ms:.1f} ms"
        name = f"fastest from AP {conclusion.floor:.3f} on"
        figures.append(page.KeyFigure(name, fastest.name, note))
    return page.key_figures(figures)


def _ap(candidate: Candidate) -> str:
    """The AP of a variant."""
    return f"AP {candidate.ap.mean:.3f}" if candidate.ap else ""


def _table_section(heading: str, explanation: str, table: Table) -> page.Section:
    """A table with its explanation."""
    return page.Section(
        heading,
        explanation,
        page.table("Best first; not ranked ones at the end", table.columns, table.rows),
    )


def _items(texts: Iterable[str]) -> Markup:
    """A list of HTML."""
    return Markup("<ul>{}</ul>").format(Markup("").join(map(Markup("<li>{}</li>").format, texts)))


def _bullets(texts: Iterable[str]) -> str:
    """A list of Markdown."""
    return "\n".join(f"- {markdown.escaped(text)}" for text in texts)


def _markdown_table(table: Table) -> str:
    """A table of Markdown."""
    columns: Sequence[str] = [markdown.escaped(name) for name in table.columns]
    rows = [[markdown.escaped(page.as_text(cell)) for cell in row] for row in table.rows]
    numeric = [
        not any(type(row[place]) is str for row in table.rows) for place in range(len(columns))
    ]
    return markdown.table(columns, rows, numeric)
