"""params.yaml as frozen, typed objects: an unknown, missing or mistyped parameter is an error.

No parameter has a default here: params.yaml is the only place for one, and says what each is for. A
stage reads `params.<name>` and declares just that name in dvc.yaml; a test compares the two.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dminity.core.amenities import NAMES
from dminity.core.errors import DminityError

PARAMS_FILE = Path("params.yaml")

Share = Annotated[float, Field(ge=0, le=1)]
Variant = Literal["yolox_nano", "yolox_tiny", "yolox_s", "yolox_m", "yolox_l", "yolox_x"]
Fate = Literal["keep", "difficult", "drop"]


class BadParameter(DminityError):
    """A parameter is unknown, missing, of the wrong type or out of range."""


class Section(BaseModel):
    """A mapping of params.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def number_or_auto(value: object) -> object:
    """Refuse all but `auto` and whole numbers above 0."""
    if value == "auto" or (type(value) is int and value > 0):
        return value
    raise ValueError(f"{value!r} is neither `auto` nor a whole number above 0")


NumberOrAuto = Annotated[int | Literal["auto"], BeforeValidator(number_or_auto)]


def epoch_keys(value: object) -> object:
    """The same mapping with whole numbers for keys; `dvc exp run -S` writes them as text."""
    if not isinstance(value, dict):
        return value
    return {int(key) if str(key).isdecimal() else key: size for key, size in value.items()}


class OpenImages(Section):
    """Where Open Images, or a mirror of it, is read from."""

    annotations: str
    images: str
    s3_endpoint: str
    partial: bool


class Demo(Section):
    """How many rooms to render for each split, and which."""

    seed: NonNegativeInt
    train: PositiveInt
    validation: PositiveInt
    test: PositiveInt


class Fetch(Section):
    """How photos are downloaded."""

    connections: PositiveInt
    attempts: PositiveInt
    min_side: PositiveInt
    max_missing: Share


class Fates(Section):
    """What becomes of boxes with a certain mark, in photos for training and for evaluation."""

    training: Fate
    evaluation: Fate


class Marked(Section):
    """What becomes of boxes, by Open Images' mark."""

    is_group_of: Fates
    is_depiction: Fates
    is_occluded: Fates
    is_truncated: Fates
    is_inside: Fates


class Check(Section):
    """What `dminity check` takes for the same photo."""

    near_bits: Annotated[int, Field(ge=0, le=64)]


class Train(Section):
    """How the detector is trained."""

    pretrained: str
    release: str
    input_size: Annotated[int, Field(gt=0, multiple_of=32)]
    multiscale: NonNegativeInt
    epochs: PositiveInt
    batch_size: NumberOrAuto
    batch_schedule: Annotated[dict[NonNegativeInt, PositiveInt], BeforeValidator(epoch_keys)]
    accumulate: PositiveInt
    lr: PositiveFloat
    weight_decay: NonNegativeFloat
    momentum: Annotated[float, Field(gt=0, lt=1)]
    warmup: Share
    no_aug: Share
    freeze: NonNegativeInt
    freeze_norms: bool
    clip: NonNegativeFloat
    patience: NonNegativeInt
    mosaic: Share
    mixup: Share
    hsv: Share
    flip: Share
    seed: NonNegativeInt
    devices: NumberOrAuto
    num_nodes: PositiveInt
    precision: Literal["auto", "fp32", "bf16", "fp16"]
    compile: bool
    workers: NonNegativeInt
    cache_gb: NonNegativeFloat
    pictures_every: NonNegativeInt
    tensorboard: bool


class Evaluate(Section):
    """How the detector is evaluated."""

    batch_size: PositiveInt
    min_score: Share
    nms_iou: Share
    shown_score: Share
    pictures: NonNegativeInt


class Export(Section):
    """How far an exported model may be from its original."""

    box_tolerance: PositiveFloat
    score_tolerance: PositiveFloat


def chosen_classes(value: object) -> tuple[str, ...]:
    """The names that `all`, or a list of names, stands for, in the amenities' order."""
    if value == "all":
        return NAMES
    if not isinstance(value, list) or not value:
        raise ValueError(f"{value!r} is neither `all` nor a list of amenities such as [Bathtub]")
    for name in value:
        if name not in NAMES:
            raise ValueError(f"{name!r} is no amenity{suggestion(str(name), NAMES)}")
    return tuple(name for name in NAMES if name in value)


def image_ids(value: object) -> tuple[str, ...]:
    """A list of image ids; YAML takes one of digits alone for a number, unless it is quoted."""
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is no list of image ids such as ['0123456789abcdef']")
    for image_id in value:
        if not re.fullmatch("[0-9a-f]{16}", str(image_id)):
            raise ValueError(f"{image_id!r} is no image id: 16 hex digits, in quotes")
    return tuple(map(str, value))


class Params(Section):
    """All of params.yaml."""

    classes: Annotated[tuple[str, ...], BeforeValidator(chosen_classes)]
    source: Literal["demo", "openimages"]
    limit_per_class: NonNegativeInt
    seed: NonNegativeInt
    openimages: OpenImages
    demo: Demo
    fetch: Fetch
    marked: Marked
    leave_out: Annotated[tuple[str, ...], BeforeValidator(image_ids)]
    check: Check
    image_size: Annotated[int, Field(ge=32)]
    jpeg_quality: Annotated[int, Field(ge=1, le=95)]
    model: Variant
    train: Train
    evaluate: Evaluate
    export: Export


def load(path: Path = PARAMS_FILE) -> Params:
    """Read and check params.yaml.

    Raises:
        BadParameter: naming the first parameter at fault and what it should be.
    """
    try:
        # As DVC reads and writes it: to YAML 1.2 and `dvc exp run -S`, 1e-05 is a number.
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise BadParameter(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise BadParameter(f"{path}: {explain(error.errors()[0])}") from error


def explain(error: ErrorDetails) -> str:
    """One line for what pydantic found: the parameter's dotted name, what is wrong, the mend."""
    path = [str(part) for part in error["loc"]]
    name = ".".join(path)
    match error["type"]:
        case "extra_forbidden":
            return f"unknown parameter {name}{suggestion(path[-1], section_fields(path[:-1]))}"
        case "missing":
            return f"{name} is missing; it has no other default, so add it"
        case "value_error":
            return f"{name}: {error['msg'].removeprefix('Value error, ')}"
        case _:
            return f"{name} is {error['input']!r}; {error['msg'].replace('Input', 'it')}"


def section_fields(path: list[str]) -> Iterable[str]:
    """The names of the parameters in the section at `path`."""
    section: Any = Params
    for part in path:
        section = section.model_fields[part].annotation
    return cast(type[Section], section).model_fields


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, if something known looks like `word`."""
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
