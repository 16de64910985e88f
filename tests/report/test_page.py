"""Pages: what comes from outside is text, and nothing is loaded."""

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from dminity.evaluation.intervals import Estimate
from dminity.report.charts import chart
from dminity.report.page import (
    KeyFigure,
    Photo,
    Section,
    figure,
    key_figures,
    page,
    paragraph,
    photos,
    side_by_side,
    small_charts,
    table,
    write_page,
)
from tests.helpers.photos import jpeg

BAD = '<script>alert("1")</script>'


def test_what_comes_from_outside_is_text() -> None:
    drawn = chart(lambda axes: axes.set_title(BAD))
    body = table(BAD, [BAD], [[BAD]]) + key_figures([KeyFigure(BAD, BAD, BAD)])
    body += figure(drawn, BAD, BAD) + small_charts([(drawn, BAD)]) + paragraph(BAD)
    body += photos([Photo(jpeg(), BAD, BAD)])
    text = page(BAD, BAD, [Section(BAD, BAD, body)])
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_no_two_elements_have_the_same_id() -> None:
    drawn = [
        chart(lambda axes: axes.plot([0, 1], marker="o")),
        chart(lambda axes: axes.plot([1, 0], marker="o")),
        chart(lambda axes: axes.bar([1, 2], [1, 2])),
    ]
    shown = [figure(each, f"chart {number}", "") for number, each in enumerate(drawn)]
    sections = [Section("One", "", side_by_side(shown)), Section("Two", "", paragraph(""))]
    text = page("Title", "", [*sections, Section("Three", "", paragraph(""))])
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    used = re.findall(r'(?:href="#|url\(#)([^")]+)', text)
    assert used
    assert set(used) <= set(ids)


def test_a_page_names_no_other_place_to_load_from() -> None:
    drawn = chart(lambda axes: axes.plot([0, 1]))
    text = page("Title", "", [Section("One", "", figure(drawn, "a line", ""))])
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]+', text)
    assert "@import" not in text
    assert not re.findall(r"url\((?!#)", text)
    assert "default-src 'none'" in text


def test_a_chart_is_the_same_text_every_time_and_has_the_colors_of_the_page() -> None:
    once, again = (
        figure(chart(lambda axes: axes.plot([0, 1], label="x")), "a line", "") for _ in range(2)
    )
    assert once == again
    assert "currentColor" in once
    assert "var(--line)" in once
    assert "<text" in once


def test_figures_are_rounded_and_what_is_not_known_is_a_dash() -> None:
    unknown = Estimate(float("nan"), float("nan"), float("nan"))
    text = table(
        "", ["name", "a", "b"], [["x", Estimate(0.5, 0.4, 0.61239), None], ["y", unknown, 1]]
    )
    assert "0.500<small>0.400 to 0.612</small>" in text
    assert text.count("\N{EN DASH}") == 2
    assert '<td class="number">1</td>' in text


def test_a_page_that_cannot_be_made_leaves_the_last_one(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", "First", "", [])
    with pytest.raises(UndefinedError):
        write_page(tmp_path / "page.html", "Second", "", [object()])  # type: ignore[list-item]
    assert "First" in (tmp_path / "page.html").read_text()
