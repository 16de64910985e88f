"""`dminity seeds`, with real experiments of DVC."""

import argparse
import signal
import sys
from contextlib import chdir
from pathlib import Path

import psutil
import pytest

from dminity.commands import seeds
from dminity.commands.experiment_runs import NotKnownToGit
from tests.helpers import processes
from tests.helpers.processes import LIMIT_S
from tests.helpers.programs import ENVIRONMENT, dminity
from tests.helpers.project import Project
from tests.helpers.quick_project import quick_project

TWO = ("seeds", "-n", "2")


def printed(project: Project, *arguments: str, fails: bool = False) -> str:
    """What the command prints on both streams; with fails, it ends with exit code 1 and a line."""
    done = dminity(project.folder, *arguments)
    assert done.returncode == int(fails), done.stderr
    last = done.stderr.splitlines()[-1] if fails else ""
    assert last.startswith("error: ") == fails, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("count", ["1", "0", "-2", "two", "2.5", "100000"])
def test_a_spread_takes_two(count: str, tmp_path: Path) -> None:
    done = dminity(tmp_path, "seeds", "-n", count)
    assert done.returncode == 2
    assert "is not a whole number from 2 to 1000" in done.stderr


def test_elsewhere_there_is_nothing_to_train(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert "you are not inside of a DVC repository" in printed(project, *TWO, fails=True)
    project.run("git", "init", "--quiet")
    project.run("dvc", "init", "--quiet")
    assert "has no commit of Git" in printed(project, *TWO, fails=True)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project that trains in no time."""
    return quick_project(tmp_path)


def dry_run(project: Project, capsys: pytest.CaptureFixture[str]) -> tuple[list[list[str]], str]:
    """What would run, as words, and what is noted."""
    arguments = argparse.Namespace(n=2, changes=[], markdown=None, dry_run=True)
    with chdir(project.folder):
        seeds.run(arguments)
    shown = capsys.readouterr()
    return [line.split() for line in shown.out.splitlines()], shown.err


@pytest.mark.slow
def test_what_is_finished_is_known_by_what_it_read(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.run("git", "checkout", "--quiet", "--detach")
    project.run("git", "config", "core.abbrev", "12")
    commit = project.run("git", "rev-parse", "HEAD")[:7]
    runs, noted = dry_run(project, capsys)
    assert [words[:3] for words in runs] == [[commit, "is", "finished"], ["seed-2", "is", "to"]]
    assert runs[1][4:] == ["dvc", "exp", "run", "--name", "seed-2", "-S", "train.seed=2"]
    assert "note: " not in noted
    change(project, "evaluate.py")
    _, noted = dry_run(project, capsys)
    assert f"{commit}: its figures come from other code" in noted
    assert "part of what is to run" in noted
    assert "src/evaluate.py" in noted
    change(project, "train.py")
    runs, _ = dry_run(project, capsys)
    assert [words[1:3] for words in runs] == [["is", "to"], ["is", "to"]]
    (project.folder / "src/new.py").touch()
    with pytest.raises(NotKnownToGit, match=r"src/new\.py: Git does not know it"):
        dry_run(project, capsys)


def change(project: Project, name: str) -> None:
    """Add a comment to a file of code."""
    with (project.folder / "src" / name).open("a") as file:
        file.write("# A change.\n")


@pytest.mark.slow
def test_a_seed_fails_is_interrupted_and_is_trained_once(project: Project, tmp_path: Path) -> None:
    # Where DVC keeps what is queued.
    project.run("git", "update-ref", "refs/exps/celery/stash", "HEAD")
    before = state(project)
    (tmp_path / "broken").touch()
    table_file = tmp_path / "seeds.md"
    said = printed(project, *TWO, "--markdown", str(table_file), fails=True)
    assert "seed-2 failed" in said
    assert "broken" in said
    assert table_file.read_text().count("\n| main | 1 |") == 1
    assert state(project) == before
    (tmp_path / "broken").rename(tmp_path / "slow")
    interrupt(project)
    assert state(project) == before
    (tmp_path / "slow").unlink()

    (project.folder / "README.md").write_text("An edit.\n")
    project.run("git", "add", "README.md")
    before = state(project)
    said = printed(project, *TWO)
    assert said.count("Running stage 'train'") == 1
    assert "goes on after the first epoch" in said
    assert state(project) == before
    saved = project.run(
        "git", "for-each-ref", "--format=%(refname)", "refs/exps/*/*/seed-2"
    ).strip()
    rows = table(said)
    assert list(rows) == ["main", "seed-2", "mean", "spread"]
    assert rows["seed-2"][:3] == ["2", "0.2000", "0.4000"]
    assert rows["mean"][:2] == ["0.1500", "0.3000"]
    assert "README.md" in project.run("git", "diff", "--name-only", "main", saved)

    again = printed(project, *TWO)
    assert table(again) == rows
    assert "Running stage" not in again
    assert not (project.folder / ".dvc/tmp/dminity/project").exists()


def table(printed: str) -> dict[str, list[str]]:
    """The rows of the table of figures by their first word."""
    text = printed.partition("\nexperiment  seed")[2]
    lines = text.partition("\n\n")[0].splitlines()[1:]
    return {words[0]: words[1:] for words in map(str.split, lines)}


def interrupt(project: Project) -> None:
    """Start a training and end it as Ctrl-C on its terminal does; nothing of it is left running."""
    command = [sys.executable, "-m", "dminity.commands", *TWO]
    process = processes.start(command, project.folder, ENVIRONMENT)
    assert process.stdout
    for line in process.stdout:
        if line == "slow\n":
            break
    started = psutil.Process(process.pid).children(recursive=True)
    assert started
    process.send_signal(signal.SIGINT)
    said = process.stdout.read()
    assert process.wait(LIMIT_S) == 130, said
    assert "ended by Ctrl-C" in said
    _, left = psutil.wait_procs(started, timeout=LIMIT_S)
    assert left == []


def state(project: Project) -> list[str]:
    """What a user has: files, the branch, stashes, what he queued."""
    return [
        project.run("git", "status", "--porcelain", "--branch"),
        project.run("git", "diff"),
        project.run("git", "stash", "list"),
        project.run("git", "for-each-ref", "refs/heads", "refs/exps/celery"),
    ]
