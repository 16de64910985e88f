"""`dminity ladder`: its steps, and what it writes of them."""

import argparse
from contextlib import chdir
from pathlib import Path

import pytest
from PIL import Image

from dminity.commands import ladder
from dminity.commands.changed_params import changed_params
from dminity.commands.ladder_steps import STEPS
from dminity.core.amenities import NAMES
from tests.helpers.experiments import save_as
from tests.helpers.programs import dminity
from tests.helpers.project import ROOT, Project

EXPERIMENTS = ROOT / "docs/experiments"


@pytest.mark.parametrize("step", STEPS)
def test_a_step_changes_what_params_yaml_has(step: str) -> None:
    changes = STEPS[step].experiments.values()
    changed = [changed_params(ROOT, each) for each in changes]
    assert all(params["source"] == changed_params(ROOT, [])["source"] for params in changed)
    assert len({str(params) for params in changed}) == len(changed)
    assert f"| `{step}` |" in (EXPERIMENTS / "README.md").read_text(encoding="utf-8")


def test_ten_classes_are_those_of_the_first_bucket() -> None:
    (changes,) = STEPS["ten-classes"].experiments.values()
    assert changed_params(ROOT, changes)["classes"] == list(NAMES[:10])


def test_an_unknown_step_is_told_the_others(tmp_path: Path) -> None:
    done = dminity(tmp_path, "ladder", "stairs")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert all(step in done.stderr for step in STEPS)


@pytest.mark.slow
def test_a_step_that_is_finished_is_concluded_without_a_training(
    clone: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    for variant in ("tiny", "s"):
        clone.set_params({"model": f"yolox_{variant}"})
        save_as(clone, f"like-{variant}")
    folder = clone.folder / "docs/experiments"
    for page in folder.glob("variants.*"):
        page.unlink()
    with chdir(clone.folder):
        ladder.run(argparse.Namespace(step="variants", dry_run=True))
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()] == [
        [name, "is", "finished"] for name in ("main", "like-tiny", "like-s")
    ]
    assert not (folder / "variants.md").exists()

    done = dminity(clone.folder, "ladder", "variants")
    assert done.returncode == 0, done.stderr
    assert "Running stage" not in done.stderr
    assert done.stdout.splitlines()[-1] == "docs/experiments/variants.md"
    text = (folder / "variants.md").read_text(encoding="utf-8")
    commit = clone.run("git", "rev-parse", "--short", "HEAD").strip()
    assert text.startswith(f"# {STEPS['variants'].question}\n")
    assert f"of commit {commit}, on" in text
    assert "dvc exp run --name like-tiny -S model=yolox_tiny  # like-tiny\n" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| model | ")]
    # Best first: what decides here are milliseconds.
    models = {cell.strip() for cell in row.split("|")[2:-1]}
    assert models == {r"yolox\_nano", r"yolox\_tiny", r"yolox\_s"}
    assert "like-tiny: AP within the noise of main" in text
    assert "One training each of " in text
    assert str(clone.folder) not in text
    with Image.open(folder / "variants.png") as chart:
        assert chart.width > 400
