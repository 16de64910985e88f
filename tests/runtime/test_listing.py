"""From what photos show to what a home has."""

import numpy as np

from dminity.detection.detections import Detections
from dminity.runtime.listing import Shown, Verdict, list_home, sightings

CLASSES = ("Bed", "Sink", "Oven", "Jacuzzi")


def found(*boxes: tuple[str, float]) -> Detections:
    """Detections of these classes and scores, best first, each somewhere else."""
    boxes = tuple(sorted(boxes, key=lambda box: -box[1]))
    corners = [[number, 0, number + 10, 10] for number in range(len(boxes))]
    return Detections(
        np.array(corners, np.float64).reshape(-1, 4),
        np.array([score for _, score in boxes]),
        np.array([CLASSES.index(name) for name, _ in boxes], np.int64),
    )


def shown(**photos: Detections) -> Shown:
    """What photos of a home show together."""
    so_far = Shown()
    for name, detections in photos.items():
        so_far.add(sightings(name, detections, CLASSES))
    return so_far


def test_there_are_as_many_as_the_photo_with_most_of_them_has() -> None:
    home = list_home(
        "flat",
        shown(
            one=found(("Bed", 0.99), ("Sink", 0.6)),
            two=found(("Bed", 0.7), ("Bed", 0.6)),
            three=found(("Bed", 0.8), ("Bed", 0.5), ("Oven", 0.5)),
            four=found(),
        ),
        CLASSES,
    )
    assert home.photos == 4
    assert [listed.amenity for listed in home.amenities] == ["Bed", "Sink", "Oven"]
    bed = home.amenities[0]
    # The count is that of the evidence, the confidence that of any photo.
    assert (bed.at_least, bed.confidence, bed.verdict) == (2, 0.99, None)
    assert bed.evidence is not None
    assert bed.evidence.photo == "three"
    assert bed.evidence.xyxy_pixels.tolist() == [[0, 0, 10, 10], [1, 0, 11, 10]]
    assert bed.evidence.score == 0.8


def test_of_two_photos_that_are_as_good_the_first_is_the_evidence() -> None:
    so_far = shown(one=found(("Sink", 0.6)), two=found(("Sink", 0.6)))
    assert so_far.evidence["Sink"].photo == "one"


def test_claims_are_confirmed_not_seen_or_not_made() -> None:
    so_far = shown(one=found(("Bed", 0.9), ("Sink", 0.9)))
    home = list_home("flat", so_far, CLASSES, {"Jacuzzi", "Bed"})
    assert [(listed.amenity, listed.verdict) for listed in home.amenities] == [
        ("Bed", Verdict.CONFIRMED),
        ("Sink", Verdict.NOT_CLAIMED),
        ("Jacuzzi", Verdict.NOT_SEEN),
    ]
    jacuzzi = home.amenities[2]
    assert (jacuzzi.at_least, jacuzzi.confidence, jacuzzi.evidence) == (0, 0.0, None)


WITH_KINDS = ("Bed", "Couch", "Sofa bed")


def listed(
    seen: tuple[str, ...], claimed: set[str] | None
) -> list[tuple[str, int, Verdict | None]]:
    """Names, counts and verdicts of a home of which each photo shows one thing."""
    so_far = Shown()
    for number, name in enumerate(seen):
        class_id = np.array([WITH_KINDS.index(name)])
        detection = Detections(np.array([[0.0, 0, 10, 10]]), np.array([0.9]), class_id)
        so_far.add(sightings(str(number), detection, WITH_KINDS))
    home = list_home("flat", so_far, WITH_KINDS, claimed)
    for each in home.amenities:
        assert (each.confidence == 0.9) == (each.evidence is not None) == (each.at_least > 0)
    return [(each.amenity, each.at_least, each.verdict) for each in home.amenities]


def test_who_claims_a_couch_and_has_a_sofa_bed_is_right() -> None:
    # It is one thing, and no second one by a more general name.
    assert listed(("Sofa bed",), None) == [("Sofa bed", 1, None)]
    assert listed(("Sofa bed",), {"Sofa bed"}) == [("Sofa bed", 1, Verdict.CONFIRMED)]
    assert listed(("Sofa bed",), {"Couch", "Bed"}) == [
        ("Couch", 1, Verdict.CONFIRMED),
        ("Sofa bed", 1, Verdict.NOT_CLAIMED),
        ("Bed", 0, Verdict.NOT_SEEN),
    ]


def test_a_couch_is_claimed_by_who_claims_a_sofa_bed() -> None:
    assert listed(("Couch",), {"Sofa bed"}) == [
        ("Couch", 1, Verdict.CONFIRMED),
        ("Sofa bed", 0, Verdict.NOT_SEEN),
    ]
    assert listed(("Couch", "Sofa bed"), {"Sofa bed"}) == [
        ("Couch", 1, Verdict.CONFIRMED),
        ("Sofa bed", 1, Verdict.CONFIRMED),
    ]
    # The couch was not claimed as such: nobody misses it.
    assert listed(("Bed",), {"Sofa bed"}) == [
        ("Bed", 1, Verdict.NOT_CLAIMED),
        ("Sofa bed", 0, Verdict.NOT_SEEN),
    ]


def test_an_owner_may_claim_nothing() -> None:
    home = list_home("flat", shown(one=found(("Bed", 0.9))), CLASSES, set())
    assert [listed.verdict for listed in home.amenities] == [Verdict.NOT_CLAIMED]


def test_a_home_without_anything() -> None:
    assert list_home("flat", Shown(), CLASSES).amenities == ()
