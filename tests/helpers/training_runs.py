"""Small trainings for tests, in this process or as the stage of a project."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from yaml import safe_dump, safe_load

from dminity.data import voc
from dminity.network.detector import build_network
from dminity.params import PARAMS_FILE, load_params
from dminity.training.pretrained import start_from
from dminity.training.recipe import settings_of
from dminity.training.run import trained
from dminity.training.settings import TrainSettings
from tests.helpers import processes
from tests.helpers.project import ROOT

# Photos of the rooms that most tests train on.
COUNTS = {"train": 12, "validation": 5}
STAGE = ("-m", "dminity.stages.train")
SMALL = {"input_size": 96, "epochs": 2, "batch_size": 4, "workers": 0, "cache_gb": 0.0}
SMALL |= {"pictures_every": 0, "small_first": 0.0}


def settings(**changes: Any) -> TrainSettings:
    """The settings of a training from scratch, made small, with changes."""
    section = load_params(ROOT / PARAMS_FILE).train.model_copy(update={"pretrained": "none"})
    defaults = settings_of(section, "yolox_nano", 600)
    return TrainSettings.model_validate(defaults.model_dump() | SMALL | changes)


def run(folder: Path, place: Path, **changes: Any) -> dict[str, torch.Tensor]:
    """Train a nano in this process; return the weights of the best epoch."""
    chosen = settings(**changes)
    torch.manual_seed(chosen.seed)
    classes = voc.read_classes(folder)
    network = build_network("yolox_nano", len(classes))
    start_from(network, chosen.pretrained, chosen.release, "yolox_nano", classes)
    logs = place / "tensorboard"
    with trained(network, chosen, "yolox_nano", folder, classes, place, logs) as weights:
        assert weights is not None
        return weights


def rows(live: Path) -> dict[str, list[tuple[int, float]]]:
    """The rows that DVCLive wrote: (step, value) by the name of the figure."""
    tables: dict[str, list[tuple[int, float]]] = {}
    for path in sorted((live / "plots" / "metrics").rglob("*.tsv")):
        lines = [line.split("\t") for line in path.read_text().splitlines()[1:]]
        name = path.relative_to(live / "plots" / "metrics").with_suffix("").as_posix()
        tables[name] = [(int(step), float(value)) for step, value in lines]
    with (live / "speed.csv").open() as file:
        for row in csv.DictReader(file):
            step = int(row.pop("step"))
            for name, value in row.items():
                tables.setdefault(f"speed/{name}", []).append((step, float(value)))
    return tables


def results(live: Path) -> dict[str, list[tuple[int, float]]]:
    """The rows that do not tell of time and memory."""
    return {name: table for name, table in rows(live).items() if not name.startswith("speed/")}


def make_project(folder: Path, rooms: Path, **changes: object) -> Path:
    """A folder in which the train stage can run: params.yaml, and data/voc."""
    shutil.copytree(rooms, folder / "data" / "voc")
    params = safe_load((ROOT / PARAMS_FILE).read_text())
    params["train"] = settings(**changes).model_dump()
    (folder / PARAMS_FILE).write_text(safe_dump(params))
    return folder


def start_stage(
    project: Path, command: tuple[str, ...] = (sys.executable, *STAGE)
) -> subprocess.Popen[str]:
    """Start the train stage in a folder with params.yaml and data/voc, as DVC would."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "GLOO_SOCKET_IFNAME": "lo"}
    return processes.start(command, project, environment)


def epochs_done(project: Path) -> int:
    """How many epochs the training that runs in a project has written down."""
    for path in (project / "models" / "unfinished").glob("*/live/metrics.json"):
        try:
            return int(json.loads(path.read_text())["step"])
        except (ValueError, KeyError, FileNotFoundError):
            return 0  # it is being written, or written anew by a run that goes on
    return 0
