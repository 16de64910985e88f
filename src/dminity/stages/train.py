"""train: a YOLOX detector from the VOC folder, its metrics per epoch by DVCLive."""

import lightning as L
from dvclive.live import Live

from dminity import voc
from dminity.detector.model import Detector, build_network, save
from dminity.detector.pretrained import start_from
from dminity.detector.training import train
from dminity.files import replacing_folder
from dminity.params import load
from dminity.stages import METRICS, MODEL, VOC, run


def main() -> None:
    """Train, and write the averaged weights of the best epoch."""
    params = load()
    L.seed_everything(params.train.seed, workers=True)
    classes = voc.read_classes(VOC)
    network = build_network(params.model, len(classes))
    start_from(network, params.train.pretrained, params.train.release, params.model, classes)
    # DVCLive empties its folder when it starts: the last run's metrics stay until this one is done.
    with (
        replacing_folder(METRICS / "train") as folder,
        Live(str(folder), save_dvc_exp=False, dvcyaml=None) as live,
    ):
        network = train(network, params.train, VOC, classes, live)
    input_size = (params.train.input_size, params.train.input_size)
    save(Detector(network, params.model, classes, input_size), MODEL)


if __name__ == "__main__":
    run(main)
