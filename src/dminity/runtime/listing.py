"""From what is seen in the photos of a home to what the home has, and what its owner claims.

An amenity is there if a detection reaches the threshold of its class in some photo. There are at
least as many as the photo with the most boxes of it shows: photos of one room from two sides show
the same bed twice, so that boxes of different photos are not added up. That photo is the evidence;
of two that show as many, the one with the surer detection. The confidence is the best score in any
photo.

Within a photo a thing goes by one name (`detection/kinds.py`), so that one sofa bed is not listed
as a couch too. Whether a couch of another photo is the same thing, nobody can tell: both are
listed. Who claims a couch and has a sofa bed is right all the same, and who claims a sofa bed
claims a couch.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from dminity.core.hierarchy import with_descendants
from dminity.detection.boxes import Boxes
from dminity.detection.detections import Detections


class Verdict(StrEnum):
    """What photos say of a claim."""

    CONFIRMED = "confirmed"
    NOT_SEEN = "not seen"
    NOT_CLAIMED = "not claimed"


@dataclass(frozen=True)
class Sighting:
    """An amenity in one photo.

    photo: its name. xyxy_pixels: [N, 4], float64, in pixels of the photo, best
    first. score: of the best, 0-1. cutout: a JPEG of the part of the photo that shows it; empty if
    nobody wants it.
    """

    photo: str
    amenity: str
    xyxy_pixels: Boxes
    score: float
    cutout: bytes = b""

    @property
    def strength(self) -> tuple[int, float]:
        """By what sightings of an amenity are compared."""
        return len(self.xyxy_pixels), self.score


@dataclass
class Shown:
    """What the photos of a home have shown so far.

    photos: how many were looked at. evidence: the best sighting of each amenity. confidence: its
    best score in any photo.
    """

    photos: int = 0
    evidence: dict[str, Sighting] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)

    def add(self, sightings: Iterable[Sighting]) -> None:
        """One more photo was looked at."""
        self.photos += 1
        for sighting in sightings:
            name = sighting.amenity
            if name not in self.evidence or sighting.strength > self.evidence[name].strength:
                self.evidence[name] = sighting
            self.confidence[name] = max(sighting.score, self.confidence.get(name, 0.0))


@dataclass(frozen=True)
class Listed:
    """An amenity that a home has, or is claimed to have.

    at_least: how many; 0 if it is claimed and not seen. confidence: 0-1; 0 then too. evidence: the
    photo that shows most of them. verdict: None where there are no claims.
    """

    amenity: str
    at_least: int
    confidence: float
    evidence: Sighting | None
    verdict: Verdict | None


@dataclass(frozen=True)
class Home:
    """What a home has.

    photos: how many were looked at. amenities: those seen, then those that are only claimed.
    """

    name: str
    photos: int
    amenities: tuple[Listed, ...]


def sightings(photo: str, found: Detections, classes: Sequence[str]) -> list[Sighting]:
    """The amenities in a photo.

    Args:
        photo: its name.
        found: what is reported of it, best first.
        classes: their names, in the network's order.
    """
    seen = []
    for class_id in np.unique(found.class_ids):
        of_class = found.class_ids == class_id
        boxes, scores = found.xyxy_pixels[of_class], found.scores[of_class]
        seen.append(Sighting(photo, classes[class_id], boxes, float(scores[0])))
    return seen


def list_home(
    name: str, shown: Shown, classes: Sequence[str], claimed: Collection[str] | None = None
) -> Home:
    """What a home has, in the order of the classes.

    Args:
        name: of the home.
        shown: what its photos show.
        classes: what can be seen.
        claimed: what its owner says it has; None if nobody asks.
    """
    called = {amenity: _called(amenity, shown, claimed or ()) for amenity in classes}
    seen = [
        Listed(
            amenity,
            len(shown.evidence[own].xyxy_pixels),
            shown.confidence[own],
            shown.evidence[own],
            _verdict(amenity, claimed),
        )
        for amenity, own in called.items()
        if own
    ]
    only_claimed = [
        Listed(amenity, 0, 0.0, None, Verdict.NOT_SEEN)
        for amenity, own in called.items()
        if amenity in (claimed or ()) and not own
    ]
    return Home(name, shown.photos, (*seen, *only_claimed))


def _called(amenity: str, shown: Shown, claimed: Collection[str]) -> str | None:
    """By which name photos show an amenity: its own or, if it is claimed, the best seen kind's."""
    names = with_descendants(amenity) if amenity in claimed else [amenity]
    seen = [name for name in names if name in shown.evidence]
    if amenity in seen or not seen:
        return amenity if seen else None
    return max(seen, key=lambda name: shown.evidence[name].strength)


def _verdict(amenity: str, claimed: Collection[str] | None) -> Verdict | None:
    """What it means that an amenity is seen."""
    if claimed is None:
        return None
    # A sofa bed that is claimed may well be the couch that is seen.
    is_claimed = any(name in claimed for name in with_descendants(amenity))
    return Verdict.CONFIRMED if is_claimed else Verdict.NOT_CLAIMED
