"""What a detector finds after the same minutes of training: ours against YOLO11n and YOLO26n.

    python -m benchmarks.accuracy --results accuracy.jsonl

Trains by params.yaml on the photos in data/voc, from scratch, and has Ultralytics train on the same
photos, at the same input size, on the same cores, for as long. Each finds what it can in the test
photos, by its own rules, and one evaluator judges all: ours. Prints a table in Markdown.

The time that the train stage takes, Python's imports and validation included, is what the peers get
for the same seed; their clock starts when network and photos are ready. All else are Ultralytics'
defaults, but for what costs it time and gains it nothing (benchmarks/peer_training.py says what).

What is finished is a line in the file of results, and is not trained again. With params.yaml as it
is, three seeds take three times half an hour on 2 cores.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from benchmarks import peer, peer_training
from benchmarks.accuracy_table import Training, table
from dminity.commands.changed_params import changed_params
from dminity.core.splits import SPLITS
from dminity.core.stage import METRICS, MODEL
from dminity.data import voc
from dminity.detection.detections import Detections
from dminity.evaluation import coco
from dminity.network.detector import Detector, load_detector
from dminity.params import PARAMS_FILE

ROOT = Path(__file__).parents[1]
OURS = "dminity"


def main() -> None:
    """Train what is not finished, print the table of all."""
    arguments = parse_arguments()
    params = changed_params(ROOT, arguments.changes)
    used = recipe(params, arguments.data / "voc")
    finished = read(arguments.results, used)
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        peer.install(place / "peer")
        photos = peer.write_photos(arguments.data / "voc", place / "photos")
        for seed in range(1, 1 + arguments.seeds):
            params["train"]["seed"] = seed
            for found in train(params, arguments.data, place, photos, finished):
                training = replace(found, recipe=used)
                finished.append(training)
                with arguments.results.open("a") as file:
                    file.write(json.dumps(asdict(training)) + "\n")
    print("\n".join(table(finished, OURS)))


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--results", type=Path, required=True, metavar="FILE", help="JSON lines")
    parser.add_argument("--data", type=Path, default=ROOT / "data", metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="how many (default: 3)")
    parser.add_argument(
        "-S",
        action="append",
        default=[],
        dest="changes",
        metavar="KEY=VALUE",
        help="another value of a parameter, as `dvc exp run -S` takes it",
    )
    return parser.parse_args()


def recipe(params: dict[str, Any], folder: Path) -> str:
    """A checksum of all that trainings of a file of results have in common: all but the seed."""
    settings = params | {"train": params["train"] | {"seed": None}}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for split in SPLITS:
        for image_id in voc.read_ids(folder, split):
            digest.update(f"{split}/{image_id}".encode())
            digest.update(voc.annotation_path(folder, image_id).read_bytes())
    return digest.hexdigest()[:12]


def read(results: Path, used: str) -> list[Training]:
    """What is finished, all of it by the same recipe."""
    if not results.exists():
        return []
    finished = [Training(**json.loads(line)) for line in results.read_text().splitlines()]
    if any(training.recipe != used for training in finished):
        sys.exit(f"{results} is of other parameters or photos; give another file")
    return finished


def train(
    params: dict[str, Any], data: Path, place: Path, photos: Path, finished: Sequence[Training]
) -> Iterator[Training]:
    """The trainings of a seed that are not finished; ours says how long the others may take."""
    seed = params["train"]["seed"]
    known = {training.model: training for training in finished if training.seed == seed}
    ours = known.get(OURS)
    if not ours:
        ours = train_ours(params, data, place / f"project-{seed}")
        yield ours
    for model in peer_training.ARCHITECTURES:
        if model not in known:
            yield train_peer(model, ours, data / "voc", photos, place)


def train_ours(params: dict[str, Any], data: Path, project: Path) -> Training:
    """The train stage, in a folder of its own."""
    project.mkdir()
    (project / "data").symlink_to(data.resolve())
    YAML(typ="safe", pure=True).dump(params, project / PARAMS_FILE)
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "dminity.stages.train"], cwd=project, env=environment, check=True
    )
    seconds = time.perf_counter() - start
    speeds = pd.read_csv(project / METRICS / "train" / "speed.csv")["images_per_second"]
    detector = load_detector(project / MODEL)
    scores = evaluate(data / "voc", find(data / "voc", detector))
    return Training(
        OURS,
        params["train"]["seed"],
        detector.input_size[0],
        seconds,
        len(voc.read_ids(data / "voc", "train")) * len(speeds),
        1 / float((1 / speeds).mean()),
        scores.ap,
        scores.ap50,
    )


def train_peer(model: str, ours: Training, folder: Path, photos: Path, place: Path) -> Training:
    """A peer, for as long, in a process of its own."""
    seed, side = ours.seed, ours.input_size
    runs = place / f"{model}-{seed}"
    runs.mkdir()
    how = (model, seed, side, ours.seconds, photos, place / "peer", runs)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        figures = pool.submit(peer_training.train, *how).result()
    scores = evaluate(folder, peer_training.read_found(folder, runs))
    return Training(model, seed, side, ap=scores.ap, ap50=scores.ap50, **figures)


def find(folder: Path, detector: Detector) -> list[Detections]:
    """What our detector finds in each test photo of a VOC folder."""
    annotations = voc.read_split(folder, "test", detector.classes)
    return [detector.find([voc.annotated_photo(folder, each)])[0] for each in annotations]


def evaluate(folder: Path, detections: list[Detections]) -> coco.Scores:
    """How good that is, by COCO's protocol."""
    classes = voc.read_classes(folder)
    annotations = voc.read_split(folder, "test", classes)
    truths = [voc.ground_truth(annotation, classes) for annotation in annotations]
    return coco.score(truths, detections, classes)


if __name__ == "__main__":
    main()
