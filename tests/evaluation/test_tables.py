"""The tables that comparisons read: what they say is what was evaluated."""

from pathlib import Path

import numpy as np
import pytest

from dminity.data import tables
from dminity.evaluation import coco, detection_table, truth_table
from dminity.evaluation.detection_table import SCHEMA
from dminity.evaluation.overlaps import BadDetection
from tests.helpers.evaluation_cases import (
    BED,
    HEIGHT,
    RANDOM_CLASSES,
    SINK,
    WIDTH,
    as_published,
    found,
    random_photos,
    truth,
)


def test_figures_from_tables_are_those_of_the_photos(tmp_path: Path) -> None:
    truths, detections = random_photos(1)
    published, kept = as_published(truths, detections, RANDOM_CLASSES)
    image_ids = published.image_ids
    known = truth_table.to_table(image_ids, truths, RANDOM_CLASSES)
    tables.write(known, tmp_path / "truths.parquet", truth_table.SCHEMA)
    read = tables.read(tmp_path / "truths.parquet", truth_table.SCHEMA)
    again = truth_table.from_table(read, image_ids, RANDOM_CLASSES)
    sizes = [(each.width, each.height) for each in again]
    found_again = detection_table.from_table(kept, image_ids, sizes, RANDOM_CLASSES)
    assert list(kept.columns) == SCHEMA.names
    assert coco.score(again, found_again, RANDOM_CLASSES).ap == (
        coco.score(truths, detections, RANDOM_CLASSES).ap
    )
    for one, other in zip(truths, again, strict=True):
        np.testing.assert_allclose(other.xyxy_pixels, one.xyxy_pixels)
        np.testing.assert_array_equal(other.class_ids, one.class_ids)
        np.testing.assert_array_equal(other.ignored, one.ignored)


def test_other_photos_and_classes_are_left_out() -> None:
    truths = [truth(BED, SINK), truth(), truth(SINK, ignored=(0,))]
    table = truth_table.to_table(("a", "b", "c"), truths, RANDOM_CLASSES)
    third, second = truth_table.from_table(table, ("c", "b"), ("Sink",))
    assert third.class_ids.tolist() == [0]
    assert third.ignored.tolist() == [True]
    assert (second.width, second.height, len(second.class_ids)) == (WIDTH, HEIGHT, 0)
    (first,) = truth_table.from_table(table, ("a",), ("Sink",))
    np.testing.assert_allclose(first.xyxy_pixels, [SINK[:4]])
    nothing = detection_table.from_table(
        detection_table.to_table((), (), (), ()), ("a",), [(WIDTH, HEIGHT)], ("Sink",)
    )
    assert [len(each.scores) for each in nothing] == [0]


def test_a_kind_of_a_class_that_is_asked_for_is_an_ignored_box_of_it() -> None:
    names = ("Sofa bed", "Couch", "Towel")
    truths = [truth((*BED[:4], 0), (*SINK[:4], 1), (*SINK[:4], 2))]
    table = truth_table.to_table(("a",), truths, names)
    (couches,) = truth_table.from_table(table, ("a",), ("Couch",))
    np.testing.assert_allclose(couches.xyxy_pixels, [BED[:4], SINK[:4]])
    assert couches.ignored.tolist() == [True, False]
    # Where both are asked for, evaluation does so itself.
    (both,) = truth_table.from_table(table, ("a",), ("Couch", "Sofa bed"))
    assert both.class_ids.tolist() == [1, 0]
    assert not both.ignored.any()


@pytest.mark.parametrize("column", ["score", "xmin"])
def test_a_number_that_somebody_took_out_of_a_table_is_refused(column: str) -> None:
    truths = [truth(BED), truth(BED)]
    _, table = as_published(truths, [found((*BED, 0.9)), found((*BED, 0.8))], RANDOM_CLASSES)
    table.loc[1, column] = None
    again = detection_table.from_table(
        table, ("0" * 16, f"{1:016x}"), [(WIDTH, HEIGHT)] * 2, RANDOM_CLASSES
    )
    with pytest.raises(BadDetection, match="a detection in photo number 2 is no number"):
        coco.match(truths, again, RANDOM_CLASSES)
