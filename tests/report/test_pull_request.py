"""The report on a pull request, in a real clone of two branches, by the workflow's commands."""

import argparse
import os
import re
from contextlib import chdir
from pathlib import Path

import cv2
import pytest
import yaml

from dminity.commands import pr_report
from dminity.report.pull_request import MOST_CHARACTERS, Diff, write_report
from dminity.report.variants import NoSuchRevision, read_variant
from tests.helpers import processes
from tests.helpers.project import ROOT, Project, environment
from tests.helpers.quick_project import quick_project

pytestmark = pytest.mark.slow

WORKFLOW = ROOT / ".github/workflows/pull-request.yml"
MOST_IN_A_COMMENT = 65_536


def step(name: str) -> str:
    """The script of a step of the workflow."""
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    (script,) = [
        str(each["run"])
        for job in jobs.values()
        for each in job["steps"]
        if each.get("name") == name
    ]
    return script


def run_script(script: str, folder: Path, **variables: str) -> str:
    """Run it as the workflow does."""
    done = processes.run(["bash", "-e", "-c", script], folder, environment() | variables, stderr=-2)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def clone(experimented: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone on a branch that finds all boxes; `origin/main` does not.

    It has no file of DVC's in its workspace; they are where a remote would be.
    """
    folder = tmp_path_factory.mktemp("review")
    found = experimented.run("git", "for-each-ref", "--format=%(refname)", "refs/exps")
    (experiment,) = [ref for ref in found.split() if ref.endswith("/perfect")]
    clone = experimented.clone(folder / "clone")
    clone.run("git", "fetch", "--quiet", "origin", f"{experiment}:perfect")
    clone.run("git", "checkout", "--quiet", "--detach", "perfect")
    clone.run("git", "branch", "--quiet", "--delete", "--force", "main")
    cache = experimented.folder / ".dvc/cache"
    (clone.folder / ".dvc/config.local").write_text(f"[cache]\n    dir = {cache}\n")
    # The environment is this process's.
    (clone.folder / ".venv").mkdir()
    (clone.folder / ".venv/ready").touch()
    return clone


@pytest.fixture(scope="module")
def reported(clone: Project) -> Path:
    """The folder that the workflow's step writes, its summary in it."""
    summary = clone.folder / "summary.md"
    script = step("Write the report")
    run_script(script, clone.folder, BASE="origin/main", GITHUB_STEP_SUMMARY=str(summary))
    report = clone.folder / "pr-report"
    assert summary.read_text() == (report / "report.md").read_text()
    return report


def test_the_decision_is_read_first(reported: Path) -> None:
    title, verdict, header, rule, first, *_ = filter(
        None, (reported / "report.md").read_text().splitlines()
    )
    assert re.fullmatch(r"## Detector: this branch against origin/main \([0-9a-f]{7}\)", title)
    assert re.fullmatch(
        r"\*\*Better\*\*: AP rises by \d\.\d{3}, beyond the noise of 6 test photos"
        r"(; of \d+ classes \d+ better)?\.",
        verdict,
    )
    assert header.startswith("|  | origin/main | this branch | change (95 % interval) |")
    assert rule == "| :-- | --: | --: | --: | :-- |"
    assert re.fullmatch(r"\| AP \| \d\.\d{3} \| 1\.000 \| \+\d\.\d{3} \(.+ to .+\) \| .+ \|", first)


def test_diffs_data_and_rules_follow(reported: Path) -> None:
    text = (reported / "report.md").read_text()
    assert re.search(r"^\| params\.yaml \| [\w.]+ \| .+ \| .+ \|$", text, re.MULTILINE)
    assert re.search(r"^\| metrics/evaluate\.json \| coco\.AP \|", text, re.MULTILINE)
    assert "Photos and boxes of each class are as many as before." in text
    assert "The change is better, or worse, if the 95 % interval" in text


def test_pictures_show_photos_of_the_table(reported: Path) -> None:
    text = (reported / "report.md").read_text()
    pictures = sorted((reported / "pictures").iterdir())
    assert pictures
    for path in pictures:
        assert f"| `{path.stem}` |" in text
        picture = cv2.imread(str(path))
        assert picture is not None
        # Two of 160 pixels, or of 120, and a gap.
        assert picture.shape[1] > 240


def test_the_comment_links_to_the_pictures(reported: Path, tmp_path: Path) -> None:
    # In place of GitHub's program, which asks GitHub: one that keeps what it is told.
    program = tmp_path / "gh"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > told; cp "${9}" body\n')
    program.chmod(0o755)
    (tmp_path / "pr-report").mkdir()
    (tmp_path / "pr-report/report.md").write_text((reported / "report.md").read_text())
    run_script(
        step("Comment on the pull request"),
        tmp_path,
        PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        NUMBER="7",
        PICTURES="https://host/artifact",
        REPOSITORY="owner/name",
    )
    told = (tmp_path / "told").read_text().split()
    assert told[:5] == ["pr", "comment", "7", "--repo", "owner/name"]
    assert told[5:] == ["--edit-last", "--create-if-none", "--body-file", "pr-report/report.md"]
    body = (tmp_path / "body").read_text()
    assert body.endswith("\n[Pictures](https://host/artifact)\n")
    assert len(body) < MOST_IN_A_COMMENT


def report_on(folder: Path, base: str) -> None:
    """What the command does there."""
    with chdir(folder):
        pr_report.run(argparse.Namespace(base=base))


def test_a_base_that_is_none_is_refused(clone: Project) -> None:
    with pytest.raises(NoSuchRevision, match=r"^'no-such' is no experiment, branch, tag or commit"):
        report_on(clone.folder, "no-such")


def test_a_shallow_clone_is_told_what_to_fetch(clone: Project, tmp_path: Path) -> None:
    clone.run(
        *("git", "clone", "--quiet", "--depth=1", "--branch=perfect"),
        *(f"file://{clone.folder}", str(tmp_path / "shallow")),
    )
    with pytest.raises(NoSuchRevision, match="this clone is shallow: `git fetch --unshallow`"):
        report_on(tmp_path / "shallow", "origin/main")


def test_a_branch_of_another_root_is_refused(clone: Project) -> None:
    tree = clone.run("git", "rev-parse", "HEAD^{tree}").strip()
    commit = clone.run("git", "commit-tree", "-m", "Another root", tree).strip()
    with pytest.raises(pr_report.NoCommonCommit, match="have no commit in common here; name the"):
        report_on(clone.folder, commit)


def test_a_change_that_nobody_has_run_is_no_change_of_figures(tmp_path: Path) -> None:
    project = quick_project(tmp_path)
    project.set_params({"train": {"lr": 0.5}})
    report_on(project.folder, "main")
    verdict = (project.folder / "pr-report/report.md").read_text().splitlines()[2]
    assert verdict == (
        "**Out of date**: code or parameters of train changed after these figures were made; `dvc "
        "repro` and a commit bring new ones. As recorded: **Undecided**: AP changes by 0.000 as "
        "recorded, without an interval."
    )


def reported_on(clone: Project, folder: Path, base: str, *diffs: Diff) -> str:
    """The report on the clone's branch, against any revision."""
    with chdir(clone.folder):
        write_report(folder, read_variant(base), read_variant("HEAD"), [], diffs)
    return (folder / "report.md").read_text()


def test_a_base_without_tables_gets_what_is_recorded(clone: Project, tmp_path: Path) -> None:
    text = reported_on(clone, tmp_path / "report", "origin/release/older")
    assert "**Undecided**: AP changes by +0.750 as recorded, without an interval." in text
    assert "No interval: origin/release/older: metrics/" in text
    assert "is of an older version, whose AP is COCO's." in text
    assert not (tmp_path / "report/pictures").exists()


def test_nothing_changes_against_itself(clone: Project, tmp_path: Path) -> None:
    text = reported_on(clone, tmp_path / "report", "HEAD")
    assert "**No change**: both find the same in 6 test photos." in text
    assert "is the same." in text.partition("### Photos")[2].splitlines()[2]


def test_what_a_comment_has_no_room_for_is_counted(clone: Project, tmp_path: Path) -> None:
    long = "| x |\n" * MOST_CHARACTERS
    diffs = Diff("dvc params diff", "short"), Diff("dvc metrics diff", long), Diff("other", long)
    text = reported_on(clone, tmp_path / "report", "HEAD", *diffs)
    assert len(text) < MOST_IN_A_COMMENT
    assert "short" in text
    left = re.findall(r"^A comment has no room for (\d+) more lines.$", text, re.MULTILINE)
    assert text.count("| x |") + int(left[0]) == MOST_CHARACTERS
    assert int(left[1]) == MOST_CHARACTERS
