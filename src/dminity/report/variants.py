"""What experiments and revisions of the project say of themselves; none is checked out for it.

Figures lie in Git. What DVC tracks (models, detections) comes from the workspace, DVC's cache or
its remote, and may be nowhere any more: then that is said, and the figures stand without it.
"""

import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from dvc.api import DVCFileSystem
from dvc.exceptions import NotDvcRepoError
from dvc.repo import Repo
from dvc.repo.experiments.refs import ExpRefInfo
from dvc.repo.experiments.utils import exp_refs
from dvc.scm import SCM, RevError, SCMError, map_scm_exception, resolve_rev
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dminity.core.errors import DminityError, first_line, some, suggestion
from dminity.core.progress import waiting_for
from dminity.core.stage import METRICS

WORKSPACE = "workspace"
SHORT = 7  # Digits of a commit, as Git shows it.
SHOWN_NAMES = 5


class NoProject(DminityError):
    """There is no project here that Git and DVC know."""


class NoSuchRevision(DminityError):
    """A name is neither an experiment nor a revision."""


class NotAtHand(DminityError):
    """A file of a variant is neither in the workspace, nor in DVC's cache, nor in its remote."""


class Files:
    """The files of a project at its revisions, from Git, the workspace, DVC's cache or its remote.

    A remote that failed is not asked again: each time it might be waited for.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.fault = ""
        self.opened: dict[str, DVCFileSystem] = {}

    def read(self, rev: str, path: Path) -> bytes:
        """A file at a revision, or in the workspace where `rev` is empty.

        Raises:
            NotAtHand: with the reason, without the revision's name.
        """
        try:
            return self._read(rev, path)
        # A remote has errors of its own: S3's, SSH's, those of the network.
        except Exception as error:
            # Of a file in a folder that DVC tracks, the folder's list may be what is missing.
            if any(isinstance(each, FileNotFoundError) for each in (error, error.__cause__)):
                asked = (
                    f"its remote cannot be asked ({self.fault})" if self.fault else "nor its remote"
                )
                raise NotAtHand(
                    f"{path} is not there: neither Git nor DVC's cache has it, {asked}"
                ) from error
            if self.fault:
                raise NotAtHand(f"{path} cannot be read: {first_line(error)}") from error
            self.fault = first_line(error.__cause__ or error) or type(error).__name__
            self.opened.clear()
        return self.read(rev, path)

    def _read(self, rev: str, path: Path) -> bytes:
        """A file, asking the remote unless it has failed."""
        # What the workspace has may change.
        if rev not in self.opened or not rev:
            config = {"core": {"remote": ""}} if self.fault else {}
            self.opened[rev] = DVCFileSystem(self.root, rev=rev or None, config=config)
        with (
            waiting_for(f"{path}, out of Git, DVC's cache or its remote"),
            self.opened[rev].open(path.as_posix(), cache=True) as file,
        ):
            return bytes(file.read())


@dataclass(frozen=True, eq=False)
class Variant:
    """An experiment, a revision or the workspace. What it has not is empty.

    name: as people call it. rev: its full commit; empty for the workspace. params: params.yaml.
    figures: metrics/evaluate.json. presence, export, data: metrics/presence.json, export.json,
    data.json. per_class: metrics/per_class.csv. speed: metrics/train/speed.csv. missing: which of
    these files are not there, or damaged.
    """

    name: str
    rev: str
    params: Mapping[str, Any]
    figures: Mapping[str, Any]
    presence: Mapping[str, Any]
    export: Mapping[str, Any]
    data: Mapping[str, Any]
    per_class: pd.DataFrame
    speed: pd.DataFrame
    missing: tuple[str, ...]
    files: Files = field(repr=False)

    def figure(self, name: str) -> float | None:
        """A figure of the test split, by its name with its protocol: `coco.AP`; None if unknown.

        Before figures were named by protocols, AP and AP50 were COCO's.
        """
        protocol, _, own = name.rpartition(".")
        section = self.figures.get(protocol, {}) if protocol else self.figures
        value = _number(section.get(own)) if isinstance(section, Mapping) else None
        if value is None and protocol == "coco" and self.is_older:
            return _number(self.figures.get(own))
        return value

    @property
    def is_older(self) -> bool:
        """Whether a version wrote its figures that did not name their protocols."""
        return bool(self.figures) and "coco" not in self.figures

    def param(self, name: str) -> Any:
        """A parameter by its dotted name; None if there is none."""
        found: Any = self.params
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def read(self, path: Path) -> bytes:
        """Any file of its, tracked by Git or DVC, without checking it out.

        Raises:
            NotAtHand: naming the variant, the file and why it cannot be had.
        """
        try:
            return self.files.read(self.rev, path)
        except NotAtHand as error:
            raise NotAtHand(f"{self.name}: {error}") from error


def _number(value: object) -> float | None:
    """A figure out of JSON; None for what is no number, as NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def experiments() -> list[str]:
    """The names of all finished experiments of all commits; of a name that two have, its ref.

    Raises:
        NoProject: if this is none.
    """
    with _git() as scm:
        refs = sorted(exp_refs(scm), key=lambda ref: str(ref.name))
    names = [ref.name for ref in refs]
    return [ref.name if names.count(ref.name) == 1 else str(ref) for ref in refs]


def baseline() -> str:
    """What the workspace is based on: the name of its branch, or its commit where there is none.

    Raises:
        NoProject: if this is none.
        NoSuchRevision: if nothing is committed yet.
    """
    with _git() as scm:
        try:
            with map_scm_exception():
                return str(scm.active_branch())
        except SCMError:
            return _resolve(scm, "HEAD")[:SHORT]


def read_variant(name: str) -> Variant:
    """Read an experiment, branch, tag or commit by its name, or the workspace.

    Raises:
        NoProject: if this is none.
        NoSuchRevision: if nothing is called that.
    """
    with _git() as scm:
        rev = "" if name == WORKSPACE else _resolve(scm, name)
    files = _files_at(_root())
    missing: list[str] = []

    def parsed(path: Path, parse: Callable[[bytes], Any], empty: Any) -> Any:
        """A file's content, or what stands for none."""
        try:
            content = parse(files.read(rev, path))
        except (NotAtHand, ValueError):
            content = None
        if isinstance(content, type(empty)) and len(content):
            return content
        missing.append(path.as_posix())
        return empty

    return Variant(
        name=_called(name),
        rev=rev,
        params=parsed(Path("params.yaml"), _yaml, {}),
        figures=parsed(METRICS / "evaluate.json", json.loads, {}),
        presence=parsed(METRICS / "presence.json", json.loads, {}),
        export=parsed(METRICS / "export.json", json.loads, {}),
        data=parsed(METRICS / "data.json", json.loads, {}),
        per_class=parsed(METRICS / "per_class.csv", _csv, pd.DataFrame()),
        speed=parsed(METRICS / "train/speed.csv", _csv, pd.DataFrame()),
        missing=tuple(missing),
        files=files,
    )


def _yaml(content: bytes) -> Any:
    """What a YAML file says, as DVC reads it.

    Raises:
        ValueError: if it is none.
    """
    try:
        return YAML(typ="safe", pure=True).load(content)
    except YAMLError as error:
        raise ValueError(str(error)) from error


def _csv(content: bytes) -> pd.DataFrame:
    """A table. Names of classes are text, whatever they look like."""
    return pd.read_csv(io.BytesIO(content), dtype={"class": str})


def _called(name: str) -> str:
    """How people call it: an experiment of a name that several have, with its commit."""
    if not name.startswith("refs/exps/"):
        return name
    ref = ExpRefInfo.from_ref(name)
    return f"{ref.name} of {ref.baseline_sha[:SHORT]}"


def _root() -> str:
    """The folder of the project that this folder is in.

    Raises:
        NoProject: if it is in none.
    """
    try:
        return str(Repo.find_root())
    except NotDvcRepoError as error:
        raise NoProject(
            f"{Path.cwd()} is in no project of DVC; run it in a clone of the project"
        ) from error


@cache
def _files_at(root: str) -> Files:
    """The files of a project: what is known of its remote holds for all its revisions."""
    return Files(root)


@contextmanager
def _git() -> Iterator[Any]:
    """The Git repository of the project.

    Raises:
        NoProject: if there is none, or if it holds more than the project.
    """
    root = _root()
    try:
        scm = SCM(root)
    except SCMError as error:
        raise NoProject(
            f"{root} is no Git repository, so that it has no revisions; run it in a clone of the "
            "project"
        ) from error
    # Left open, it would complain when Python ends itself.
    with closing(scm):
        # Of a revision, DVC would look for the project's files in the repository's own folder.
        if (top := Path(scm.root_dir).resolve()) != Path(root).resolve():
            raise NoProject(
                f"{root} is a folder of the Git repository {top}; experiments and revisions need "
                "the project to be a repository of its own"
            )
        yield scm


def _resolve(scm: Any, name: str) -> str:
    """The full commit that something is called by.

    Raises:
        NoSuchRevision: with names that look alike, or all experiments of the name.
    """
    refs = list(exp_refs(scm))
    try:
        # Git takes nothing for HEAD.
        if not name:
            raise RevError("no name")
        # It may be a file's, as `HEAD:params.yaml` is.
        return str(resolve_rev(scm, f"{resolve_rev(scm, name)}^{{commit}}"))
    except RevError as error:
        if same := [str(ref) for ref in refs if ref.name == name]:
            raise NoSuchRevision(
                f"{len(same)} experiments are called {name!r}; name one in full: "
                f"{some(same, SHOWN_NAMES)}"
            ) from error
        known = [*(ref.name for ref in refs), *scm.list_branches(), *scm.list_tags(), WORKSPACE]
        raise NoSuchRevision(
            f"{name!r} is no experiment, branch, tag or commit of this project"
            f"{suggestion(name, known) or '; `dvc exp list -A` and `git branch` list them'}"
        ) from error
