"""Variants beside each other: tables, notes and the chart, without a project."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from dminity.core.stage import ONNX, VOC
from dminity.evaluation.timing import Spread
from dminity.report.comparison import TEST_IDS, Comparison, Row, compare
from dminity.report.comparison_chart import latency_chart
from dminity.report.comparison_page import NotOurs, as_markdown, write_files
from dminity.report.comparison_tables import cost, quality
from dminity.report.conclusion import Candidate, conclude
from dminity.report.latency import Latency, Measured
from dminity.report.page import as_text
from dminity.report.recipes import OverSeeds, Recipe
from dminity.report.variants import Variant
from tests.helpers.onnx_models import write_bright_model
from tests.helpers.variants import variant_of

CLASSES = pd.DataFrame({"class": ["Bed", "Sink"], "boxes": [10, 20]})


def evaluated(folder: Path, name: str, ap: float, classes: pd.DataFrame = CLASSES) -> Variant:
    """A variant with figures, and neither tables nor a model."""
    figures = {"coco": {"AP": ap, "AP_low": ap - 0.1, "AP_high": ap + 0.1}, "images": 30}
    params = {"model": "yolox_nano", "train": {"seed": 1, "lr": ap, "input_size": 256}}
    return variant_of(
        folder, name, figures=figures, params=params, per_class=classes,
        export={"model": {"size_mb": 3.7}}, presence={"precision": 0.9, "recall": None},
        data={"images": {"train": 600}},
        speed=pd.DataFrame({"step": [1, 2], "images_per_second": [30.0, 60.0]}),
    )  # fmt: skip


def timed(points: dict[str, tuple[float, float]]) -> Comparison:
    """A comparison of variants by their milliseconds and AP."""
    spreads = {name: Spread(ms, 2 * ms) for name, (ms, _) in points.items()}
    latencies = {name: Latency(each, each, each) for name, each in spreads.items()}
    rows = []
    for name, (ms, ap) in points.items():
        variant = evaluated(Path(name), name, ap)
        known = Candidate(name, OverSeeds(ap, float("nan"), 1), 3.7, ms)
        rows.append(Row(Recipe((variant,)), known, None, "", latencies[name]))
    best = max(points, key=lambda name: points[name][1])
    concluded = conclude([row.candidate for row in rows], best)
    return Comparison(tuple(rows), best, concluded, Measured(latencies, 2, False), ())


def test_what_is_at_hand_is_compared_and_the_rest_is_said(tmp_path: Path) -> None:
    variants = [evaluated(tmp_path, "low", 0.4), evaluated(tmp_path, "high", 0.5)]
    found = compare(variants, None, None, 1)
    assert [row.candidate.name for row in found.rows] == ["high", "low"]
    assert found.reference == found.conclusion.smallest == "high"
    assert found.measured is None
    notes = "\n".join(found.notes)
    assert "no interval of the difference of low and high" in notes
    assert "no latency: low: models/model.onnx is not there" in notes
    first = [as_text(cell) for cell in quality(found).rows[0]]
    assert first[:4] == ["high", "yolox_nano", "256", "0.500 (0.400 to 0.600)"]
    assert first[-3:] == ["reference", "0.900", "\N{EN DASH}"]
    # 600 photos at 30 a second, then at 60.
    assert [as_text(cell) for cell in cost(found).rows[0]][-1] == "30"
    assert "none of them timed here" in as_markdown(found, "")


def test_the_side_is_what_was_measured_or_else_the_parameter(tmp_path: Path) -> None:
    figures = {"coco": {"AP": 0.5}, "input_size": 416}
    params = {"model": "yolox_nano", "train": {"input_size": "auto"}}
    measured = variant_of(tmp_path, "measured", figures=figures, params=params)
    found = compare([evaluated(tmp_path, "before", 0.4), measured], None, None, 1)
    sides = {row[0]: row[2] for row in quality(found).rows}
    assert sides == {"before": 256, "measured": 416}


def test_another_reference_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    low, high = evaluated(tmp_path, "low", 0.4), evaluated(tmp_path, "high", 0.5)
    found = compare([low, high], low, None, 1)
    assert (found.reference, found.conclusion.best) == ("low", "high")
    assert found.conclusion.pros_and_cons[0].startswith("high: AP 0.100 above low")


def test_a_reference_is_found_by_its_other_names(tmp_path: Path) -> None:
    low, high = evaluated(tmp_path, "low", 0.4), evaluated(tmp_path, "high", 0.5)
    again = replace(low, name="again")
    found = compare([low, again, high], again, None, 1)
    assert found.reference == "low"
    assert "again: the same weights as a training of low, counted once" in found.notes


@pytest.mark.parametrize("photo", [None, b"", b"no photo"])
def test_without_a_photo_nothing_is_timed_and_that_is_said(
    tmp_path: Path, photo: bytes | None
) -> None:
    (tmp_path / ONNX.parent).mkdir()
    write_bright_model(tmp_path / ONNX)
    (tmp_path / TEST_IDS).parent.mkdir(parents=True)
    (tmp_path / TEST_IDS).write_text("a\n")
    (tmp_path / VOC / "JPEGImages").mkdir()
    if photo is not None:
        (tmp_path / VOC / "JPEGImages/a.jpg").write_bytes(photo)
    found = compare([evaluated(tmp_path, "a", 0.4)], None, None, 1)
    assert found.measured is None
    assert "no latency: no variant has its first test photo" in "\n".join(found.notes)


def test_a_damaged_speed_is_not_known(tmp_path: Path) -> None:
    speed = pd.DataFrame({"images_per_second": ["fast", 1.0]})
    found = compare([replace(evaluated(tmp_path, "a", 0.4), speed=speed)], None, None, 1)
    assert cost(found).rows[0][-1] is None


def test_a_damaged_table_of_classes_is_another_test(tmp_path: Path) -> None:
    damaged = pd.DataFrame({"class": ["Bed", "Sink"], "boxes": ["many", None]})
    variants = [evaluated(tmp_path, name, 0.4) for name in ("a", "b")]
    found = compare([*variants, evaluated(tmp_path, "c", 0.9, damaged)], None, None, 1)
    assert found.conclusion.best == "a"


def test_files_of_others_are_not_replaced(tmp_path: Path) -> None:
    found = compare([evaluated(tmp_path, "a", 0.4)], None, None, 1)
    folder = tmp_path / "docs"
    write_files(found, folder)
    write_files(found, folder)
    (folder / "data.md").touch()
    with pytest.raises(NotOurs, match=r"docs holds other files than a comparison \(data\.md\)"):
        write_files(found, folder)
    assert (folder / "data.md").exists()


def test_those_of_other_classes_are_not_ranked(tmp_path: Path) -> None:
    variants = [
        evaluated(tmp_path, "one-class", 0.9, CLASSES[:1]),
        evaluated(tmp_path, "low", 0.4),
        evaluated(tmp_path, "high", 0.5),
    ]
    found = compare(variants, None, None, 1)
    assert [row.candidate.name for row in found.rows] == ["high", "low", "one-class"]
    assert any("one-class is not ranked" in sentence for sentence in found.conclusion.sentences)
    assert "AP 0.900 on other photos or classes than high" in found.conclusion.pros_and_cons[-1]


def test_labels_cover_nothing() -> None:
    near = {f"variant-{place}": (4.0 + place / 50, 0.44 + place / 500) for place in range(8)}
    drawn = latency_chart(timed(near | {"far": (88.0, 0.5), "between": (20.0, 0.3)}))
    assert drawn is not None
    axes = drawn.axes[0]
    assert axes.get_xscale() == "log"
    labels = [item for item in axes.get_children() if isinstance(item, Annotation)]
    assert len(labels) == 10
    boxes = [Bbox(Text.get_window_extent(label).get_points()) for label in labels]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1 for box in boxes)


def test_what_nothing_beats_is_the_front() -> None:
    points = {"slow": (9.0, 0.5), "fast": (4.0, 0.4), "beaten": (9.0, 0.4), "worse": (5.0, 0.39)}
    drawn = latency_chart(timed(points))
    assert drawn is not None
    front = drawn.axes[0].lines[0]
    np.testing.assert_array_equal(front.get_xydata(), [[4.0, 0.4], [9.0, 0.5]])


def test_times_that_are_the_same_beat_nothing_and_stand_together() -> None:
    drawn = latency_chart(timed({"better": (10.4, 0.5), "as-fast": (10.0, 0.4)}))
    assert drawn is not None
    np.testing.assert_array_equal(drawn.axes[0].lines[0].get_xydata(), [[10.4, 0.5]])
    left, right = drawn.axes[0].get_xlim()
    assert right - left > 10 * 0.4


def test_without_times_there_is_no_chart(tmp_path: Path) -> None:
    assert latency_chart(compare([evaluated(tmp_path, "a", 0.4)], None, None, 1)) is None


def test_markdown_is_what_github_shows() -> None:
    text = as_markdown(timed({"a_b": (4.0, 0.4), "c": (9.0, 0.5)}), "comparison.png")
    assert "| a\\_b | yolox\\_nano |" in text
    assert "![AP over milliseconds](comparison.png)" in text
    assert "after a warm-up (2 threads)" in text
    assert "<details>" in text
