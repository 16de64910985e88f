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


def test_what_is_said_under_two_names_is_one_mistake() -> None:
    classes = ("Sofa bed", "Couch", "Towel")
    detections = found((*BED[:4], 0, 0.9), (*BED[:4], 1, 0.8))
    table = confusion([truth((*BED[:4], 1))], [detections], classes, 0.4)
    assert table.to_numpy().tolist() == [["Couch", "Sofa bed"]]


def test_who_calls_a_sofa_bed_a_couch_takes_no_other_box_that_lies_there() -> None:
    classes = ("Sofa bed", "Couch", "Bed")
    # Its IoU with BED is 0.6.
    beside: Row = (10, 10, 110, 70, 2)
    detections = found((*BED[:4], 1, 0.95), (*beside, 0.8))
    table = confusion([truth((*BED[:4], 0), beside)], [detections], classes, 0.4)
    assert sorted(table.itertuples(index=False, name=None)) == [
        ("Bed", "Bed"),
        ("Sofa bed", NOTHING),
    ]


def test_a_box_of_the_own_class_goes_before_an_ignored_one_and_one_of_another_class() -> None:
    beside: Row = (10, 10, 110, 70, 0)
    for other, ignored in ((BED, (0,)), ((*BED[:4], 1), ())):
        table = confusion(
            [truth(other, beside, ignored=ignored)], [found((*BED, 0.9))], CLASSES, 0.4
        )
        assert ("Bed", "Bed") in list(table.itertuples(index=False, name=None))
