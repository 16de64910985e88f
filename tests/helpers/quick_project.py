"""A project of Git and DVC whose pipeline takes no time, with this project's parameters."""

import shutil
from pathlib import Path

from tests.helpers.project import ROOT, Project

PIPELINE = """
stages:
  train:
    cmd: python src/train.py
    deps: [src/train.py]
    params: [model, train.lr, train.seed]
    outs: [models/model.pth]
  evaluate:
    cmd: python src/evaluate.py
    deps: [src/evaluate.py, models/model.pth]
    metrics: [metrics/evaluate.json: {cache: false}]
  export:
    cmd: cp models/model.pth models/model.onnx
    deps: [models/model.pth]
    outs: [models/model.onnx]
"""
# An epoch, and another one. It fails, or takes long in the middle, while a file says so.
TRAIN = """
import sys
import time
from pathlib import Path

from ruamel.yaml import YAML

if Path({folder!r}, "broken").exists():
    sys.exit("broken")
unfinished = Path("models/unfinished/epoch")
if unfinished.exists():
    print("goes on after the first epoch")
unfinished.parent.mkdir(parents=True, exist_ok=True)
unfinished.touch()
if Path({folder!r}, "slow").exists():
    print("slow", flush=True)
    time.sleep(600)
params = YAML(typ="safe").load(Path("params.yaml"))
Path("models/model.pth").write_text(str(params["train"]["seed"]))
"""
# A figure that tells which seed it is of.
EVALUATE = """
import json
from pathlib import Path

seed = int(Path("models/model.pth").read_text())
figures = {"coco": {"AP": seed / 10, "AP50": seed / 5}}
Path("metrics/evaluate.json").write_text(json.dumps(figures))
"""


def quick_project(folder: Path) -> Project:
    """A project whose pipeline has run, its results committed. There is a blank in its path.

    Its training fails while there is a file `broken` in the folder, and waits at one named `slow`.
    """
    project = Project(folder / "a project")
    for part in ("src", "metrics"):
        (project.folder / part).mkdir(parents=True)
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.run("dvc", "init", "--quiet")
    shutil.copy(ROOT / "params.yaml", project.folder)
    (project.folder / "dvc.yaml").write_text(PIPELINE)
    (project.folder / "src/train.py").write_text(TRAIN.format(folder=str(folder)))
    (project.folder / "src/evaluate.py").write_text(EVALUATE)
    (project.folder / ".gitignore").write_text("/models/unfinished/\n")
    project.run("dvc", "repro", "--quiet")
    shutil.rmtree(project.folder / "models/unfinished")
    project.commit("Results")
    return project
