"""What is told to programs of photos and homes: the JSON of the commands and of the service.

docs/product.md has the schemas.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from dminity.detection.detections import Detections
from dminity.runtime.finding import Failed, Seen
from dminity.runtime.listing import Home, Listed

SCORE_DIGITS, BOX_DIGITS = 4, 2


def boxes_of(
    found: Detections, classes: tuple[str, ...]
) -> Iterator[tuple[str, float, list[float]]]:
    """Class, score and corners of each box, rounded."""
    for xyxy, score, class_id in zip(
        found.xyxy_pixels.tolist(), found.scores.tolist(), found.class_ids, strict=True
    ):
        corners = [round(side, BOX_DIGITS) for side in xyxy]
        yield classes[class_id], round(score, SCORE_DIGITS), corners


def photo_answer(picture: Seen[Path | None], classes: tuple[str, ...]) -> dict[str, Any]:
    """What was found in a photo, and where it was saved."""
    return {
        "photo": picture.name,
        "width": picture.width,
        "height": picture.height,
        "detections": [
            {"class": label, "score": score, "box": corners}
            for label, score, corners in boxes_of(picture.found, classes)
        ],
        "saved": None if picture.made is None else str(picture.made),
    }


def home_answer(home: Home) -> dict[str, Any]:
    """What a home has."""
    return {
        "home": home.name,
        "photos": home.photos,
        "amenities": [_amenity(listed) for listed in home.amenities],
    }


def _amenity(listed: Listed) -> dict[str, Any]:
    """An amenity with all that is known of it."""
    seen = listed.evidence
    return {
        "amenity": listed.amenity,
        "at_least": listed.at_least,
        "confidence": round(listed.confidence, SCORE_DIGITS),
        "photo": seen.photo if seen else None,
        "boxes": seen.xyxy_pixels.round(BOX_DIGITS).tolist() if seen else [],
        "claim": listed.verdict,
    }


def unread(failed: Iterable[Failed]) -> list[dict[str, str]]:
    """What could not be read."""
    return [{"photo": item.name, "reason": item.reason} for item in failed]
