"""Which class is taken for which."""

from dminity.evaluation.confusion import NOTHING, confusion
from tests.helpers.evaluation_cases import BED, CLASSES, SINK, Row, found, truth


def test_confusion_pairs_boxes_and_detections() -> None:
    detections = found(
        (*BED, 0.9),  # right
        (200, 200, 300, 290, 2, 0.8),  # a sink taken for a towel
        (400, 400, 450, 450, 1, 0.7),  # a false alarm
        (*SINK, 0.1),  # not shown
    )
    missed: Row = (500, 10, 600, 90, 2)
    table = confusion([truth(BED, SINK, missed)], [detections], CLASSES, 0.4)
    assert sorted(table.itertuples(index=False, name=None)) == [
        ("Bed", "Bed"),
        ("Sink", "Towel"),
        ("Towel", NOTHING),
        (NOTHING, "Sink"),
    ]


def test_confusion_leaves_ignored_boxes_out() -> None:
    table = confusion([truth(BED, ignored=(0,))], [found((*BED, 0.9))], CLASSES, 0.4)
    assert table.empty


def test_each_box_is_taken_once() -> None:
    table = confusion([truth(BED)], [found((*BED, 0.9), (*BED, 0.8))], CLASSES, 0.4)
    assert sorted(table.itertuples(index=False, name=None)) == [("Bed", "Bed"), (NOTHING, "Bed")]


def test_who_calls_a_sofa_bed_a_couch_is_left_out_and_takes_no_box() -> None:
    classes = ("Sofa bed", "Couch", "Towel")
    detections = found(
        (*BED[:4], 1, 0.95),  # a couch, by the general name
        (*BED, 0.9),
        (*BED, 0.8),  # once more
        (*SINK[:4], 0, 0.7),  # a couch that is no sofa bed
    )
    table = confusion([truth(BED, SINK)], [detections], classes, 0.4)
    assert sorted(table.itertuples(index=False, name=None)) == [
        ("Couch", "Sofa bed"),
        ("Sofa bed", "Sofa bed"),
        (NOTHING, "Sofa bed"),
    ]
