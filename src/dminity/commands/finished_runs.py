"""Which runs of the pipeline are finished already: of this code, with these parameters.

What a run read is in its own `dvc.lock`, so that no name has to be believed. Data need not be
compared: they follow from code and parameters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo
from ruamel.yaml import YAML

from dminity.commands.git import GitRefused, git
from dminity.core.stage import METRICS
from dminity.params import PARAMS_FILE

# The stages whose figures are compared. What they are computed from is trained before them.
FIGURES = ("evaluate", "export")
CODE = "src/"


@dataclass(frozen=True)
class Needs:
    """What a stage reads: names of parameters, and checksums of its code by path."""

    stage: str
    params: tuple[str, ...]
    code: Mapping[str, str]


@dataclass(frozen=True)
class FinishedRun:
    """A run that is finished.

    name: of its experiment, or of the branch. same_evaluation: whether its figures were computed
    by the code of the workspace.
    """

    name: str
    same_evaluation: bool


def needs_of_figures(repo: Repo) -> list[Needs]:
    """What the stages need that a run's figures come from, in the workspace as it stands."""
    stages = {
        stage.addressing: stage
        for target in FIGURES
        for stage in repo.stage.collect(target, with_deps=True)
    }
    return [_needs(name, stage) for name, stage in stages.items()]


def _needs(name: str, stage: Any) -> Needs:
    """What a stage of DVC needs."""
    params = [dep.params for dep in stage.deps if isinstance(dep, ParamsDependency)]
    code = [dep for dep in stage.deps if dep.def_path and dep.def_path.startswith(CODE)]
    return Needs(
        name,
        tuple(name for names in params for name in names),
        {dep.def_path: dep.get_hash().value for dep in code},
    )


def find_finished(
    root: Path, runs: Iterable[tuple[str, str]], needs: Sequence[Needs], params: Mapping[str, Any]
) -> FinishedRun | None:
    """The first run that is what the workspace would give with these parameters; None if none is.

    Training has to be the same, and all parameters. If the code of the stages that compute figures
    has changed since, the run counts nevertheless: it would be trained again for the same weights.

    Args:
        root: the project.
        runs: their names and commits.
        needs: of the stages, in the workspace.
        params: all of params.yaml.
    """
    for name, rev in runs:
        locked = _locked(root, rev)
        if not all(
            _same_params(need, locked.get(need.stage, {}), params)
            and (need.stage in FIGURES or _same_code(need, locked.get(need.stage, {})))
            for need in needs
        ):
            continue
        return FinishedRun(name, all(_same_code(need, locked[need.stage]) for need in needs))
    return None


def stale_stages(root: Path, needs: Sequence[Needs], params: Mapping[str, Any]) -> list[str]:
    """The stages that read other parameters or code when they ran than the workspace has now.

    Args:
        root: the project.
        needs: of the stages, in the workspace.
        params: all of params.yaml.
    """
    try:
        locked = _stages((root / "dvc.lock").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [need.stage for need in needs]
    return [
        need.stage
        for need in needs
        for ran in [locked.get(need.stage, {})]
        if not (_same_params(need, ran, params) and _same_code(need, ran))
    ]


@cache
def _locked(root: Path, rev: str) -> dict[str, Any]:
    """What a commit's `dvc.lock` says of each stage; nothing of a run without figures."""
    try:
        git(root, "cat-file", "-e", f"{rev}:{METRICS / 'evaluate.json'}")
        return _stages(git(root, "show", f"{rev}:dvc.lock"))
    except GitRefused:
        return {}


def _stages(lock: str) -> dict[str, Any]:
    """The stages in the text of a `dvc.lock`."""
    stages: dict[str, Any] = YAML(typ="safe", pure=True).load(lock).get("stages", {})
    return stages


def _same_params(need: Needs, locked: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    """Whether a stage read the parameters that it would read now."""
    if not locked:
        return False
    read = locked.get("params", {}).get(PARAMS_FILE.name, {})
    return all(name in read and read[name] == _value(params, name) for name in need.params)


def _value(params: Mapping[str, Any], name: str) -> Any:
    """A parameter by its dotted name."""
    value: Any = params
    for part in name.split("."):
        value = value[part]
    return value


def _same_code(need: Needs, locked: Mapping[str, Any]) -> bool:
    """Whether a stage ran the code that it would run now."""
    ran = {dep["path"]: dep["md5"] for dep in locked.get("deps", [])}
    return {path: md5 for path, md5 in ran.items() if path.startswith(CODE)} == need.code
