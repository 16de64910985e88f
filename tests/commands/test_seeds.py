"""`dminity seeds`, with real experiments of DVC."""

import json
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.helpers import processes
from tests.helpers.processes import LIMIT_S
from tests.helpers.programs import ENVIRONMENT, dminity
from tests.helpers.project import Project

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


@pytest.mark.slow
def test_what_is_finished_is_known_by_what_it_read(clone: Project) -> None:
    clone.run("git", "checkout", "--quiet", "--detach")
    commit = clone.run("git", "rev-parse", "--short", "HEAD").strip()
    shown = printed(clone, *TWO, "--dry-run")
    assert [line.split()[:3] for line in shown.splitlines()] == [
        [commit, "is", "finished"],
        ["seed-2", "is", "to"],
    ]
    assert "dvc exp run --name seed-2 -S train.seed=2" in shown
    change(clone, "evaluation/summary.py")
    shown = printed(clone, *TWO, "--dry-run")
    assert f"{commit}: its figures come from other code" in shown
    assert "part of what is to run" in shown
    assert "src/dminity/evaluation/summary.py" in shown
    change(clone, "training/loop.py")
    assert "finished" not in printed(clone, *TWO, "--dry-run")
    (clone.folder / "src/dminity/new.py").touch()
    assert "src/dminity/new.py: Git does not know it" in printed(clone, *TWO, fails=True)


def change(project: Project, name: str) -> None:
    """Add a comment to a file of code."""
    with (project.folder / "src/dminity" / name).open("a") as file:
        file.write("# A change.\n")


@pytest.mark.slow
def test_a_seed_fails_is_interrupted_and_is_trained_once(clone: Project) -> None:
    # Where DVC keeps what is queued.
    clone.run("git", "update-ref", "refs/exps/celery/stash", "HEAD")
    # No figure comes from that stage.
    broken = clone.folder / "src/dminity/stages/check.py"
    sound = broken.read_text()
    broken.write_text(f"{sound}raise SystemExit('broken')\n")
    before = state(clone)
    said = printed(clone, *TWO, "--markdown", "seeds.md", fails=True)
    assert "seed-2 failed" in said
    assert "broken" in said
    assert (clone.folder / "seeds.md").read_text().count("\n| main | 1 |") == 1
    (clone.folder / "seeds.md").unlink()
    assert state(clone) == before

    broken.write_text(sound)
    before = state(clone)
    interrupt(clone)
    assert state(clone) == before
    (clone.folder / "README.md").write_text("An edit.\n")
    before = state(clone)
    said = printed(clone, *TWO)
    assert said.count("Running stage 'train'") == 1
    # What was made for it before the interrupt is there.
    assert "Running stage 'voc'" not in said
    assert state(clone) == before
    saved = clone.run("git", "for-each-ref", "--format=%(refname)", "refs/exps/*/*/seed-2").strip()
    figures = json.loads(clone.run("git", "show", f"{saved}:metrics/evaluate.json"))
    rows = table(said)
    assert list(rows) == ["main", "seed-2", "mean", "spread"]
    assert rows["seed-2"][:3] == ["2", *(f"{figures['coco'][name]:.4f}" for name in ("AP", "AP50"))]
    assert "README.md" in clone.run("git", "diff", "--name-only", "main", saved)

    again = printed(clone, *TWO)
    assert table(again) == rows
    assert "Running stage" not in again
    assert not (clone.folder / ".dvc/tmp/dminity/project").exists()


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
        if "Running stage 'train'" in line:
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
