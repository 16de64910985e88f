"""train: a YOLOX detector from the VOC folder, its metrics per epoch by DVCLive."""

import shutil
from pathlib import Path

import numpy as np
import torch

from dminity.core.files import remove_folder, replacing_folder
from dminity.core.progress import note
from dminity.core.stage import METRICS, MODEL, UNFINISHED, VOC, run
from dminity.data import voc
from dminity.detection.kinds import is_kind_of
from dminity.network.detector import build_network, save_detector
from dminity.params import load_params
from dminity.training.checkpoints import fingerprint
from dminity.training.filters import even_out
from dminity.training.pretrained import side_of, start_from
from dminity.training.recipe import settings_of, told
from dminity.training.run import trained
from dminity.training.settings import TrainSettings


def main() -> None:
    """Train, and write the averaged weights of the best epoch.

    The last run's results stay until this one is done; what it has done so far lies in a folder of
    its own, from where it is resumed if it is interrupted.
    """
    params = load_params()
    classes = voc.read_classes(VOC)
    num_photos = len(voc.read_ids(VOC, "train"))
    side = side_of(params.train.pretrained)
    settings = settings_of(params.train, params.model, num_photos, side)
    if choices := told(params.train, settings, num_photos):
        note(choices)
    torch.manual_seed(settings.seed)
    network = build_network(params.model, len(classes))
    if params.hierarchy:
        network.head.kinds = tuple(map(tuple, np.argwhere(is_kind_of(classes)).tolist()))
    start_from(network, settings.pretrained, settings.release, params.model, classes)
    if settings.pretrained != "none":
        even_out(network)
    run_folder = UNFINISHED / fingerprint(settings, params.model, classes, network.head.kinds, VOC)
    logs = METRICS / "tensorboard"
    with trained(network, settings, params.model, VOC, classes, run_folder, logs) as weights:
        if weights is not None:
            _publish(weights, params.model, settings, classes, run_folder)


def _publish(
    weights: dict[str, torch.Tensor],
    variant: str,
    settings: TrainSettings,
    classes: tuple[str, ...],
    run_folder: Path,
) -> None:
    """Replace the last run's results by those in `run_folder`, and remove that folder."""
    input_size = (settings.input_size, settings.input_size)
    save_detector(weights, variant, classes, input_size, MODEL)
    with replacing_folder(METRICS / "train") as folder:
        shutil.copytree(run_folder / "live", folder, dirs_exist_ok=True)
    with replacing_folder(METRICS / "plots" / "training") as folder:
        shutil.copytree(run_folder / "pictures", folder, dirs_exist_ok=True)
    remove_folder(run_folder)


if __name__ == "__main__":
    run(main)
