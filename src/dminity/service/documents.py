"""What the OpenAPI document says besides the schemas: forms, examples, errors."""

from typing import Any

from dminity.service.schemas import Problem
from dminity.service.settings import Limits
from dminity.service.uploads import FORM, NAME_LETTERS, PHOTOS

TITLE = "Dminity"
SUMMARY = "Find 30 home amenities in photos. Nothing that is sent is kept or written to a disk."
PROBLEMS = {
    400: "the form is damaged or cut off",
    401: "there is no token, or a wrong one",
    408: "the upload took too long",
    413: "too many bytes or photos",
    415: "it is no multipart/form-data",
    422: "there is no photo, none could be read, or a field is wrong",
    503: "too much at once, or it took too long; see Retry-After",
}
CLAIMS = "amenity\nBathtub\nWashing machine\n"


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors that a route may answer with."""
    found: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": PROBLEMS[status]} for status in statuses
    }
    if 503 in found:
        found[503]["headers"] = {
            "Retry-After": {"description": "seconds", "schema": {"type": "integer"}}
        }
    return found


def form_of_photos(limits: Limits) -> dict[str, Any]:
    """The body of a request that sends photos."""
    return _form(_photos(limits))


def form_of_home(limits: Limits) -> dict[str, Any]:
    """The body of a request that sends the photos of a home."""
    return _form(
        _photos(limits)
        | {
            "home": {"type": "string", "maxLength": NAME_LETTERS, "example": "flat-1"},
            "claims": {
                "type": "string",
                "description": "what its owner says it has: a CSV with the column `amenity`",
                "example": CLAIMS,
            },
        }
    )


def _photos(limits: Limits) -> dict[str, Any]:
    """The field of the photos."""
    return {
        PHOTOS: {
            "type": "array",
            "minItems": 1,
            "maxItems": limits.photos,
            "items": {"type": "string", "format": "binary"},
            "description": "JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP, JPEG 2000 or PPM",
        }
    }


def _form(fields: dict[str, Any]) -> dict[str, Any]:
    """A form with these fields."""
    schema = {
        "type": "object",
        "required": [PHOTOS],
        "properties": fields,
        "additionalProperties": False,
    }
    content = {FORM.decode(): {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}
