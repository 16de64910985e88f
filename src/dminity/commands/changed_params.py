"""What params.yaml would say after `dvc exp run -S …`, without changing it."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dvc.exceptions import InvalidArgumentError
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides, to_hydra_overrides
from hydra.errors import OverrideParseException
from ruamel.yaml import YAML

from dminity.core.errors import DminityError, first_line
from dminity.core.parameters import BadParameter
from dminity.params import PARAMS_FILE, load_params


class BadChange(DminityError):
    """A `-S key=value` that DVC would refuse, or that no stage would bear."""


def changed_params(root: Path, changes: Sequence[str]) -> dict[str, Any]:
    """All parameters of the project after some changes, checked as the stages check them.

    Args:
        root: the project.
        changes: as `dvc exp run -S` takes them: `train.lr=0.1`, `+train.batch_schedule={0: 32}`.

    Raises:
        BadChange: naming the change at fault, if it is one of them.
        BadParameter: if params.yaml is wrong without them.
    """
    load_params(root / PARAMS_FILE)
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / PARAMS_FILE.name
        shutil.copyfile(root / PARAMS_FILE, trial)
        for change in changes:
            _apply(change, trial)
            try:
                load_params(trial)
            except BadParameter as error:
                said = str(error).removeprefix(f"{trial}: ")
                raise BadChange(f"-S {change!r}: {said}") from error
        content: dict[str, Any] = YAML(typ="safe", pure=True).load(trial)
    return content


def _apply(change: str, trial: Path) -> None:
    """Change a copy of params.yaml as DVC does.

    Raises:
        BadChange: if DVC cannot.
    """
    (path,) = to_path_overrides([change])
    if path != PARAMS_FILE.name:
        raise BadChange(f"-S {change!r}: the pipeline has no parameters but those of {PARAMS_FILE}")
    try:
        if any(override.is_sweep_override() for override in to_hydra_overrides([change])):
            raise BadChange(f"-S {change!r} has several values; give one, and run it for each")
        apply_overrides(trial, [change])
    except OverrideParseException as error:
        raise BadChange(
            f"-S {change!r} is no key=value ({first_line(error)}); names with special characters "
            "go in inner quotes: 'classes=[\"Wine rack\"]'"
        ) from error
    except InvalidArgumentError as error:
        # In its second line, DVC's library explains how to add what no stage knows.
        raise BadChange(
            f"-S {change!r}: {first_line(error.__cause__ or error)} The parameters are those of "
            f"{PARAMS_FILE}"
        ) from error
