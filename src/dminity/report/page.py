"""The look of our pages: one file each, that loads nothing, reads well and prints well.

A page has a title, and sections, each with a sentence that says how to read it. Whoever writes one
puts it together from tables, charts and photos of this module; all text is escaped here.
"""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from dminity.core.files import replacing_file
from dminity.evaluation.intervals import Estimate
from dminity.report.charts import svg

NOTHING = "\N{EN DASH}"
DECIMALS = 3
STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #18181b; --soft: #52525b; --line: #d4d4d8;
  --band: #f4f4f5; --link: #0b5cad; }
@media screen and (prefers-color-scheme: dark) { :root { --back: #18181b; --text: #e8e8ea;
  --soft: #b0b0b8; --line: #46464d; --band: #232327; --link: #8ec5ff; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body { background: var(--back); color: var(--text); font: 1rem/1.55 system-ui, sans-serif;
  margin: 0 auto; max-width: 78rem; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 0; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
header p, .how { color: var(--soft); margin: .35rem 0 0; max-width: 46rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 1.25rem 0 0;
  padding: 0; }
a { color: var(--link); text-underline-offset: .2em; }
section { border-top: 1px solid var(--line); margin-top: 2.5rem; padding-top: 1.5rem; }
section > p:not(.how), section > ul { max-width: 46rem; }
.wide { margin-top: 1rem; overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { color: var(--soft); padding-bottom: .35rem; text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .5rem; text-align: left;
  vertical-align: top; }
th { font-weight: 600; } thead th { border-bottom-width: 2px; vertical-align: bottom; }
tbody th { font-weight: 500; min-width: 7rem; }
@media (min-width: 60rem) { tbody th { white-space: nowrap; } }
tbody tr:nth-child(even) { background: var(--band); }
.number { text-align: right; } td.number { white-space: nowrap; }
small { color: var(--soft); font-size: .85em; line-height: 1.4; }
td small { margin-left: .35em; } dd small { display: block; }
dl { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
  margin: 1rem 0 0; }
dl > div { background: var(--band); border-radius: .5rem; padding: .75rem; }
dt { color: var(--soft); font-size: .9rem; } dd { margin: 0; } dd strong { display: block;
  font-size: 1.5rem; font-variant-numeric: tabular-nums; font-weight: 600; line-height: 1.3; }
.charts { display: grid; gap: 1.5rem; margin-top: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); }
figure { margin: 0; min-width: 0; }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .25rem; overflow-wrap: anywhere; }
.chart { overflow-x: auto; }
.chart svg, .small svg { display: block; width: 100%; }
.small { display: grid; gap: 1rem .5rem; margin-top: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); }
.small figcaption { margin: 0; }
svg text { font-family: system-ui, sans-serif !important; }
.photos { column-gap: 1rem; columns: 16rem; margin-top: 1rem; }
.photos figure { break-inside: avoid; padding-bottom: 1rem; }
img { background: var(--band); border-radius: .25rem; display: block; height: auto; width: 100%; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media print { body { font-size: 10pt; max-width: none; padding: 0; } nav { display: none; }
  section { margin-top: 1.5rem; padding-top: 1rem; } h2, h3, .how { break-after: avoid; }
  figure, tr, dl > div { break-inside: avoid; } thead { display: table-header-group; }
  .wide, .chart { overflow: visible; } .chart svg { min-width: 0 !important; }
  table { font-size: 7.5pt; } td small { display: block; }
  th, td { padding: .15rem .3rem; } .charts { grid-template-columns: 1fr 1fr; }
  .photos { columns: 3; } * { print-color-adjust: exact; } }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:;
  style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<link rel="icon" href="data:,">
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<header>
<h1>{{ title }}</h1>
<p>{{ subtitle }}</p>
{% if sections|length > 2 %}
<nav aria-label="Sections"><ul>
{% for section in sections %}
<li><a href="#section-{{ loop.index }}">{{ section.heading }}</a></li>
{% endfor %}
</ul></nav>
{% endif %}
</header>
<main>
{% for section in sections %}
<section id="section-{{ loop.index }}" aria-labelledby="heading-{{ loop.index }}">
<h2 id="heading-{{ loop.index }}">{{ section.heading }}</h2>
<p class="how">{{ section.explanation }}</p>
{{ section.body }}
</section>
{% endfor %}
</main>
</body>
</html>
"""
TABLE = """<div class="wide" role="region" tabindex="0" aria-label="{{ caption }}"><table>
<caption>{{ caption }}</caption>
<thead><tr>
{% for name in columns %}
<th scope="col"{% if numeric[loop.index0] %} class="number"{% endif %}>{{ name }}</th>
{% endfor %}
</tr></thead>
<tbody>
{% for row in rows %}
<tr><th scope="row">{{ row[0] }}</th>
{%- for cell in row[1:] %}
<td{% if numeric[loop.index] %} class="number"{% endif %}>{{ cell }}</td>
{%- endfor %}</tr>
{% endfor %}
</tbody>
</table></div>
"""
KEY_FIGURES = """<dl>
{% for figure in figures %}
<div><dt>{{ figure.name }}</dt><dd><strong>{{ figure.value }}</strong>
<small>{{ figure.note }}</small></dd></div>
{% endfor %}
</dl>
"""
CHART = """<figure>
<div class="chart" role="region" tabindex="0" aria-label="{{ title }}">{{ svg }}</div>
<figcaption>{{ caption }}</figcaption></figure>
"""
SMALL_CHARTS = """<div class="small">
{% for svg, caption in charts %}
<figure>{{ svg }}<figcaption>{{ caption }}</figcaption></figure>
{% endfor %}
</div>
"""
PHOTOS = """<div class="photos">
{% for photo in photos %}
<figure><img src="data:image/jpeg;base64,{{ photo.base64() }}" alt="{{ photo.alternative }}">
<figcaption>{{ photo.caption }}</figcaption></figure>
{% endfor %}
</div>
"""
TEMPLATES = Environment(
    autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
# Numbers and estimates are aligned to the right, and what is not known is a dash.
Cell = str | Markup | int | float | Estimate | None


@dataclass(frozen=True)
class Section:
    """A part of a page: its heading, how to read it, and what there is to be read."""

    heading: str
    explanation: str
    body: Markup


@dataclass(frozen=True)
class KeyFigure:
    """A figure that stands out, and a note of what it is measured on or how sure it is."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class Photo:
    """A photo: a JPEG file, what it shows for who cannot see it, and its caption."""

    jpeg: bytes
    alternative: str
    caption: str

    def base64(self) -> str:
        """The file as text."""
        return base64.b64encode(self.jpeg).decode()


def write_page(path: Path, title: str, subtitle: str, sections: Sequence[Section]) -> None:
    """Write a page, whole or not at all."""
    with replacing_file(path) as unfinished:
        unfinished.write_text(page(title, subtitle, sections), encoding="utf-8")


def page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """A page as HTML."""
    # The style is ours.
    style = Markup(STYLE)  # noqa: S704
    return _filled(PAGE, title=title, subtitle=subtitle, sections=sections, style=style)


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Markup:
    """A table; the first cell of a row names it."""
    numeric = [
        bool(rows) and not any(_is_text(row[place]) for row in rows)
        for place in range(len(columns))
    ]
    shown = [[_shown(cell) for cell in row] for row in rows]
    return _filled(TABLE, caption=caption, columns=columns, rows=shown, numeric=numeric)


def _is_text(cell: Cell) -> bool:
    """Whether a cell is words; a number that has its form already is `Markup`."""
    return isinstance(cell, str) and not isinstance(cell, Markup)


def frame_table(caption: str, columns: Sequence[str], frame: pd.DataFrame) -> Markup:
    """A table of a data frame, whose columns get other names."""
    return table(caption, columns, frame.astype(object).to_numpy().tolist())


def key_figures(figures: Sequence[KeyFigure]) -> Markup:
    """The few figures that decide."""
    return _filled(KEY_FIGURES, figures=figures)


def figure(drawn: Figure, title: str, caption: str) -> Markup:
    """A chart.

    Args:
        drawn: as `charts.chart` makes it.
        title: what it shows, for who cannot see it.
        caption: what stands below it.
    """
    return _filled(CHART, svg=svg(drawn, title), title=title, caption=caption)


def side_by_side(figures: Sequence[Markup]) -> Markup:
    """Charts beside each other, where there is room."""
    return Markup('<div class="charts">{}</div>').format(Markup("").join(figures))


def small_charts(charts: Sequence[tuple[Figure, str]]) -> Markup:
    """Many small charts of the same axes, each with its caption."""
    drawn = [(svg(each, caption), caption) for each, caption in charts]
    return _filled(SMALL_CHARTS, charts=drawn)


def photos(shown: Sequence[Photo]) -> Markup:
    """Photos beside each other."""
    return _filled(PHOTOS, photos=shown)


def paragraph(text: str) -> Markup:
    """A paragraph of plain text."""
    return Markup("<p>{}</p>").format(text)


def decimals(value: float | None) -> str:
    """A figure from 0 to 1, or a dash where it is not known."""
    return NOTHING if value is None or math.isnan(value) else f"{value:.{DECIMALS}f}"


def interval(estimate: Estimate) -> str:
    """The interval of a figure; nothing where there is none.

    >>> interval(Estimate(0.5, 0.4, 0.6))
    '0.400 to 0.600'
    """
    if math.isnan(estimate.low):
        return ""
    return f"{decimals(estimate.low)} to {decimals(estimate.high)}"


def as_text(cell: Cell) -> str:
    """A cell as plain text.

    >>> as_text(Estimate(0.5, 0.4, 0.6)), as_text(3.14159), as_text(1200)
    ('0.500 (0.400 to 0.600)', '3.142', '1,200')
    """
    if isinstance(cell, Estimate):
        limits = interval(cell)
        return f"{decimals(cell.value)} ({limits})" if limits else decimals(cell.value)
    if cell is None or isinstance(cell, float):
        return decimals(cell)
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _shown(cell: Cell) -> Markup:
    """A cell of a table.

    >>> str(_shown(Estimate(0.5, 0.4, 0.6)))
    '0.500<small>0.400 to 0.600</small>'
    >>> [str(_shown(cell)) for cell in (12345, 0.12345, "Kitchen & bath")]
    ['12,345', '0.123', 'Kitchen &amp; bath']
    """
    if isinstance(cell, Estimate):
        if not (limits := interval(cell)):
            return escape(decimals(cell.value))
        return Markup("{}<small>{}</small>").format(decimals(cell.value), limits)
    if cell is None or isinstance(cell, float):
        return escape(decimals(cell))
    return escape(f"{cell:,}" if isinstance(cell, int) else cell)


def _filled(template: str, **values: object) -> Markup:
    """A template with values in it, which it has escaped."""
    return Markup(TEMPLATES.from_string(template).render(values))  # noqa: S704
