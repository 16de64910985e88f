"""What a VOC annotation says to an evaluation."""

from dminity.data.voc import Annotation, VocObject, ground_truth

CLASSES = ("Bed", "Sink", "Towel")


def test_difficult_objects_are_the_ignored_ones() -> None:
    objects = (
        VocObject("Sink", (1.0, 2.0, 3.0, 4.0)),
        VocObject("Bed", (0.0, 0.0, 9.0, 9.0), difficult=True),
    )
    known = ground_truth(Annotation("a", 64, 48, objects), CLASSES)
    assert known.class_ids.tolist() == [1, 0]
    assert known.ignored.tolist() == [False, True]
    assert (known.width, known.height) == (64, 48)
