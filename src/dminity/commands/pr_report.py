"""`dminity pr-report`: what a branch changes, as Markdown for its pull request."""

import argparse
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dminity.commands.git import GitRefused, git
from dminity.core.errors import DminityError, first_line

if TYPE_CHECKING:
    from dminity.report.pull_request import Diff
    from dminity.report.variants import Variant

FOLDER = Path("pr-report")
BRANCH = "this branch"


class NoCommonCommit(DminityError):
    """Two revisions have no history in common, as far as this clone knows."""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "pr-report", help=f"what this branch changes, as {FOLDER}/report.md, for its pull request"
    )
    parser.add_argument("--base", default="main", help="what it is to be merged into (main)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the report, and print its verdict.

    Raises:
        NoProject: if this is none.
        NoSuchRevision: if the base is none.
        NoCommonCommit: if the branch did not come from it.
    """
    # They take a second to import.
    from dminity.report.pull_request import REPORT, write_report
    from dminity.report.variants import WORKSPACE, read_variant

    base = _where_it_left(arguments.base)
    branch = replace(read_variant(WORKSPACE), name=BRANCH)
    diffs = [_diff(what, base) for what in ("params", "metrics")]
    verdict = write_report(FOLDER, base, branch, _stale(), diffs)
    print(verdict.replace("**", ""))
    print(FOLDER / REPORT)


def _where_it_left(name: str) -> "Variant":
    """The base as it was when the branch left it: what it has become since is not the branch's.

    Raises:
        NoProject: if this is none.
        NoSuchRevision: if the base is none.
        NoCommonCommit: if the branch did not come from it.
    """
    from dminity.report.variants import NoSuchRevision, read_variant

    try:
        tip = read_variant(name)
    except NoSuchRevision as error:
        raise NoSuchRevision(f"{error}{_if_shallow()}") from error
    fork = _git("merge-base", tip.rev, "HEAD")
    if not fork:
        raise NoCommonCommit(
            f"{name} and HEAD have no commit in common here"
            f"{_if_shallow() or '; name the branch that this one came from'}"
        )
    return tip if fork == tip.rev else replace(read_variant(fork), name=name)


def _stale() -> list[str]:
    """The stages whose results are of other code or parameters than this branch has."""
    from dvc.repo import Repo

    from dminity.commands.changed_params import changed_params
    from dminity.commands.finished_runs import needs_of_figures, stale_stages

    with Repo() as repo:
        root = Path(repo.root_dir)
        return stale_stages(root, needs_of_figures(repo), changed_params(root, []))


def _if_shallow() -> str:
    """What to do about a clone that has a part of the history only."""
    if _git("rev-parse", "--is-shallow-repository") != "true":
        return ""
    return "; this clone is shallow: `git fetch --unshallow`, or fetch-depth: 0 in a workflow"


def _git(*arguments: str) -> str:
    """What Git answers; empty if it refuses."""
    try:
        return git(Path(), *arguments)
    except GitRefused:
        return ""


def _diff(what: str, base: "Variant") -> "Diff":
    """`dvc metrics diff` or `dvc params diff` of base and workspace, as DVC has it."""
    from dminity.report.pull_request import Diff
    from dminity.report.variants import SHORT

    command = ("dvc", what, "diff", base.rev[:SHORT], "--md")
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", *command], capture_output=True, text=True, check=False
    )
    # Its columns are as wide as their longest cell: half of a comment's room would be blanks.
    text = re.sub(" {2,}", " ", done.stdout.strip()) or "Nothing changed."
    if done.returncode:
        text = f"DVC refuses: {first_line(RuntimeError(done.stderr))}"
    return Diff(" ".join(command[:-1]), text)
