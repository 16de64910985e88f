"""What typed, frozen parameter objects are made of, and how a file of them is read.

Each room's `settings.py` has the parameters that its code reads; `params.py` puts them together.
No parameter has a default in code: params.yaml is the only place for one, and explains each.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
)
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dminity.core.errors import DminityError, suggestion


class BadParameter(DminityError):
    """A parameter is unknown, missing, of the wrong type or out of range."""


class Section(BaseModel):
    """A mapping of params.yaml: frozen, strictly typed, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


AnySection = TypeVar("AnySection", bound=Section)
Share = Annotated[float, Field(ge=0, le=1)]


def _number_or_auto(value: object) -> object:
    """Refuse all but `auto` and whole numbers above 0."""
    if value == "auto" or (type(value) is int and value > 0):
        return value
    raise ValueError(f"{value!r} is neither `auto` nor a whole number above 0")


NumberOrAuto = Annotated[int | Literal["auto"], BeforeValidator(_number_or_auto)]

# A value, or `auto`. With tags, pydantic says what is wrong with the value alone.
AUTO: Final = "auto"
Value = TypeVar("Value")
IS_AUTO, IS_VALUE = "<auto>", "<value>"
OrAuto = Annotated[
    Annotated[Value, Tag(IS_VALUE)] | Annotated[Literal["auto"], Tag(IS_AUTO)],
    Discriminator(lambda value: IS_AUTO if value == AUTO else IS_VALUE),
]


def read_parameters(path: Path, section: type[AnySection]) -> AnySection:
    """Read a YAML file as the parameters of `section`.

    Raises:
        BadParameter: naming the first parameter at fault and what it should be.
        OSError: if the file is there and cannot be read.
    """
    try:
        # As DVC reads and writes it: to YAML 1.2 and `dvc exp run -S`, 1e-05 is a number.
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise BadParameter(
            f"{path}: no such file; get it back by `git checkout -- {path}`"
        ) from error
    except UnicodeDecodeError as error:
        raise BadParameter(
            f"{path} is not UTF-8 (byte {error.start}: {error.reason}); save it as UTF-8"
        ) from error
    except (YAMLError, ValueError) as error:
        raise BadParameter(
            f"{path} is no YAML: {' '.join(str(error).split())}; correct that line"
        ) from error
    if not isinstance(content, dict):
        raise BadParameter(
            f"{path} has no `name: value` at its top; get it back by `git checkout -- {path}`"
        )
    try:
        return section.model_validate(content)
    except ValidationError as error:
        raise BadParameter(f"{path}: {_explain(error.errors()[0], section)}") from error


def _explain(error: ErrorDetails, section: type[Section]) -> str:
    """One line for what pydantic found: the parameter's dotted name, what is wrong, the mend."""
    path = [str(part) for part in error["loc"] if part not in (IS_AUTO, IS_VALUE)]
    name = ".".join(path)
    match error["type"]:
        case "extra_forbidden":
            known = _fields_at(section, path[:-1])
            return f"unknown parameter {name}{suggestion(path[-1], known)}"
        case "missing":
            return f"{name} is missing; it has no other default, so add it"
        case "value_error":
            return f"{name}: {error['msg'].removeprefix('Value error, ')}"
        case _:
            return f"{name} is {error['input']!r}; {error['msg'].replace('Input', 'it')}"


def _fields_at(section: type[Section], path: list[str]) -> Iterable[str]:
    """The names of the parameters in the section at `path` below another one."""
    found: Any = section
    for part in path:
        found = found.model_fields[part].annotation
    return list(found.model_fields)
