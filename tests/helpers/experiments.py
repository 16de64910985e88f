"""A project with experiments, made without a training: their results are written by hand."""

import json
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dvc.repo import Repo

from dminity.data import tables
from dminity.data.tables import CORNERS
from dminity.evaluation import detection_table, truth_table
from tests.helpers.project import Project, environment

EVALUATE = Path("metrics/evaluate.json")
DETECTIONS = Path("metrics/detections.parquet")
TRUTHS = Path("metrics/truths.parquet")


def make_experiments(project: Project) -> None:
    """Add experiments, a branch and a tag to a project whose pipeline has run, of branch `main`.

    perfect: all boxes are found. half: every other one. unmeasured: it has no metrics. twice: two
    experiments have this name, of two commits. `release/older`: a branch whose figures have no
    protocol, and nothing else. v1: an annotated tag of `main`.
    """
    project.run("git", "tag", "--annotate", "--message", "A version", "v1")
    truths = tables.read(project.folder / TRUTHS, truth_table.SCHEMA)
    _save(project, "perfect", 0.1, truths, 1.0)
    _save(project, "half", 0.3, truths.iloc[::2], 0.5)
    _write(project, EVALUATE, {})
    save_as(project, "unmeasured")
    _name_again(project, "main", "perfect", "twice")
    project.run("git", "checkout", "--quiet", "-b", "release/older")
    _write(project, EVALUATE, {"AP": 0.25, "AP50": 0.5, "images": 6})
    project.run("git", "rm", "--quiet", "dvc.lock")
    project.commit("An older version")
    _name_again(project, "release/older", "half", "twice")
    project.run("git", "checkout", "--quiet", "main")
    project.run("dvc", "checkout", "--quiet", "--force")


def _name_again(project: Project, baseline: str, experiment: str, name: str) -> None:
    """Give an experiment of `main` a second name, as one of another commit."""
    main, other = (project.run("git", "rev-parse", rev).strip() for rev in ("main", baseline))
    was = f"refs/exps/{main[:2]}/{main[2:]}/{experiment}"
    project.run("git", "update-ref", f"refs/exps/{other[:2]}/{other[2:]}/{name}", was)


def _save(project: Project, name: str, lr: float, found: pd.DataFrame, ap: float) -> None:
    """Save an experiment that finds some boxes, each just where it is."""
    project.set_params({"train": {"lr": lr}})
    boxes = found.dropna(subset=["label"]).assign(score=np.linspace(0.9, 0.8, len(found)))
    table = boxes[["image_id", "label", "score", *CORNERS]]
    tables.write(table, project.folder / DETECTIONS, detection_table.SCHEMA)
    figures = json.loads((project.folder / EVALUATE).read_text())
    figures["coco"] |= {"AP": ap, "AP_low": ap - 0.1, "AP_high": min(1.0, ap + 0.1), "AP50": ap}
    _write(project, EVALUATE, figures)
    save_as(project, name)


def _write(project: Project, path: Path, content: Any) -> None:
    """Write JSON into a project."""
    (project.folder / path).write_text(json.dumps(content))


def save_as(project: Project, name: str) -> None:
    """Save the workspace as an experiment, and put back what Git tracks.

    In this process: as a program, DVC takes three times as long, most of it to begin.
    """
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in environment().items():
            patch.setenv(variable, value)
        # DVC names files as they are seen from here.
        with chdir(project.folder), Repo() as repo:
            repo.experiments.save(name=name)
    project.run("git", "checkout", "--quiet", ".")
