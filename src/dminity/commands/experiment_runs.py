"""Experiments of a command: shown, then run one after another, but for those that are finished."""

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo

from dminity.commands.changed_params import changed_params
from dminity.commands.finished_runs import FinishedRun, Needs, find_finished, needs_of_figures
from dminity.commands.git import GitRefused, git
from dminity.commands.project_copy import EXPERIMENTS, ProjectCopy, uncommitted, unknown_to_git
from dminity.commands.text_table import aligned
from dminity.core.errors import DminityError, first_line, some
from dminity.core.progress import line, note, time_left
from dminity.report.variants import NoProject, baseline

SHOWN_FILES = 3
NAMED = ("refs/heads", "refs/tags")
# What makes the run of a commit.
REPRO = "dvc repro"


class SomeFailed(DminityError):
    """Experiments that did not end well."""


class NotKnownToGit(DminityError):
    """Files that an experiment would need and not have."""


@dataclass(frozen=True)
class Planned:
    """An experiment that a command wants.

    name: its own, or that of the run which is it. changes: of params.yaml, as `-S` takes them.
    finished: the run which is it, if there is one. command: what makes it, as a user would type it.
    """

    name: str
    changes: tuple[str, ...]
    finished: FinishedRun | None
    command: str


class Experiments:
    """The experiments of a project.

    Raises:
        NoProject: if there is no project of Git and DVC here, or no commit in it.
        NotKnownToGit: if Git does not know all files that they would need.
    """

    def __init__(self) -> None:
        self.repo = _opened()
        self.root = Path(self.repo.root_dir)
        self.branch = baseline()
        # Of the project as it stands now: what is edited from here on has no part in it.
        self.copy = ProjectCopy(self.repo)
        if unknown := unknown_to_git(self.root):
            raise NotKnownToGit(
                f"{some(unknown, SHOWN_FILES)}: Git does not know it, so that no experiment would "
                "have it; `git add` it, or move it away"
            )

    def plan(self, wanted: Mapping[str, tuple[str, ...]]) -> list[Planned]:
        """Which experiments there are to run, and which are finished.

        Args:
            wanted: what each changes of params.yaml, by the name that it is to have.

        Raises:
            BadChange: if a change is none that params.yaml bears.
        """
        self.copy.collect()
        params = {name: changed_params(self.root, changes) for name, changes in wanted.items()}
        needs = needs_of_figures(self.repo)
        runs = self._runs()
        return [
            self._planned(name, wanted[name], needs, runs, content)
            for name, content in params.items()
        ]

    def _planned(
        self,
        name: str,
        changes: tuple[str, ...],
        needs: Sequence[Needs],
        runs: Sequence[tuple[str, str]],
        params: Mapping[str, Any],
    ) -> Planned:
        """An experiment, under the name that it has or is free."""
        if finished := find_finished(self.root, runs, needs, params):
            is_commit = finished.name == runs[0][0]
            command = REPRO if is_commit else _command(finished.name, changes)
            return Planned(finished.name, changes, finished, command)
        # A branch or tag would be found in place of an experiment of its name.
        names = git(self.root, "for-each-ref", "--format=%(refname:short)", *NAMED).splitlines()
        taken = {*names, *(run.rpartition("/")[2] for run, _ in runs)}
        number = 1
        free = name
        while free in taken:
            number += 1
            free = f"{name}-run-{number}"
        return Planned(free, changes, None, _command(free, changes))

    def _runs(self) -> list[tuple[str, str]]:
        """The names and commits of all runs: that of the last commit, and all experiments."""
        refs = git(self.root, "for-each-ref", "--format=%(refname) %(objectname)", EXPERIMENTS)
        experiments = [text.split() for text in refs.splitlines()]
        names = [ref.rpartition("/")[2] for ref, _ in experiments]
        return [
            (self.branch, git(self.root, "rev-parse", "HEAD")),
            *(
                (name if names.count(name) == 1 else ref, rev)
                for name, (ref, rev) in zip(names, experiments, strict=True)
            ),
        ]

    def run(self, planned: Sequence[Planned]) -> list[str]:
        """Run what is not finished; the names of those that did not end well."""
        to_run = [each for each in planned if not each.finished]
        if not to_run:
            return []
        failed: list[str] = []
        seconds: list[float] = []
        with self.copy.open():
            for number, each in enumerate(to_run):
                left = time_left(seconds, len(to_run) - number) if seconds else "unknown"
                line(f"experiment {number + 1} of {len(to_run)}: {each.name}; time left: {left}")
                start = time.monotonic()
                if self.copy.run(each.name, each.changes):
                    # DVC has said that the results lie in "your workspace", and meant the copy.
                    line(f"{each.name} is finished; the workspace is as it was")
                else:
                    failed.append(each.name)
                seconds.append(time.monotonic() - start)
            if not failed:
                self.copy.remove()
        if failed:
            note(f"{self.copy.folder} keeps what is unfinished for the next call; or remove it")
        return failed

    def show(self, planned: Sequence[Planned]) -> None:
        """Print what there is to run, and say what of the workspace is in it."""
        rows = [
            (each.name, "is finished" if each.finished else "is to run", each.command)
            for each in planned
        ]
        print("\n".join(aligned(rows)), flush=True)
        if not all(each.finished for each in planned) and (changed := uncommitted(self.root)):
            note(
                f"changes that are not committed are part of what is to run, as `dvc exp run` has "
                f"it: {some(changed, SHOWN_FILES)}"
            )
        for each in planned:
            if each.finished and not each.finished.same_evaluation:
                anew = (
                    "dvc repro, git commit"
                    if each.command == REPRO
                    else f"dvc exp remove {each.name}"
                )
                note(
                    f"{each.name}: its figures come from other code than `evaluate` and `export` "
                    f"have now; to have new ones: {anew}"
                )


def _command(name: str, changes: Sequence[str]) -> str:
    """The command that runs an experiment."""
    options = [option for change in changes for option in ("-S", change)]
    return shlex.join(["dvc", "exp", "run", "--name", name, *options])


def refuse_failures(failed: Sequence[str]) -> None:
    """End with exit code 1 if experiments failed; what the others gave is told by then.

    Raises:
        SomeFailed: naming them.
    """
    if failed:
        raise SomeFailed(
            f"{', '.join(failed)} failed: what DVC said of it is above; the same command runs it "
            "again, and no other"
        )


def _opened() -> Repo:
    """The project that this folder is in.

    Raises:
        NoProject: if it is none that experiments can be made of.
    """
    try:
        repo = Repo()
    except DvcException as error:
        raise NoProject(f"{first_line(error)}; run it in a clone of the project") from error
    try:
        git(Path(repo.root_dir), "rev-parse", "--verify", "--quiet", "HEAD")
    except GitRefused as error:
        raise NoProject(
            f"{repo.root_dir} has no commit of Git that an experiment could be based on: `git "
            "init`, `git add --all`, `git commit`"
        ) from error
    return repo
