"""Which classes, photos and boxes the data are made of."""

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator

from dminity.core.amenities import NAMES
from dminity.core.errors import suggestion
from dminity.core.parameters import Section

Policy = Literal["keep", "ignore", "drop"]


def _chosen_classes(value: object) -> tuple[str, ...]:
    """The names that `all`, or a list of names, stands for, in the amenities' order."""
    if value == "all":
        return NAMES
    if not isinstance(value, list) or not value:
        raise ValueError(f"{value!r} is neither `all` nor a list of amenities such as [Bathtub]")
    for name in value:
        if name not in NAMES:
            raise ValueError(f"{name!r} is no amenity{suggestion(str(name), NAMES)}")
    return tuple(name for name in NAMES if name in value)


def _image_ids(value: object) -> tuple[str, ...]:
    """A list of image ids; YAML takes one of digits alone for a number, unless it is quoted.

    Each is kept once, in lower case, as Open Images has them.
    """
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is no list of image ids such as ['0123456789abcdef']")
    for image_id in value:
        if not re.fullmatch("[0-9a-fA-F]{16}", str(image_id)):
            raise ValueError(f"{image_id!r} is no image id: 16 hex digits, in quotes")
    return tuple(dict.fromkeys(str(image_id).lower() for image_id in value))


Classes = Annotated[tuple[str, ...], BeforeValidator(_chosen_classes)]
ImageIds = Annotated[tuple[str, ...], BeforeValidator(_image_ids)]


class Policies(Section):
    """What becomes of boxes with a certain flag, in photos for training and for evaluation."""

    training: Policy
    evaluation: Policy


class MarkedPolicies(Section):
    """What becomes of boxes, by Open Images' flag."""

    is_group_of: Policies
    is_depiction: Policies
    is_occluded: Policies
    is_truncated: Policies
    is_inside: Policies
