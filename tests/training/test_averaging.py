"""The moving average against YOLOX's."""

import torch
from yolox.utils import ModelEMA

from dminity.network.detector import build_network
from dminity.training.averaging import average_of, follow
from tests.helpers.detectors import CLASSES, targets


def test_the_average_is_yoloxs_own() -> None:
    torch.manual_seed(0)
    network = build_network("yolox_nano", CLASSES)
    ours, theirs = average_of(network), ModelEMA(network, 0.9998)
    for step in range(1, 6):
        with torch.no_grad():
            for weights in network.parameters():
                weights += torch.randn_like(weights) * 0.1
        network(torch.rand(2, 3, 64, 64), targets(2, 1, 64, 0))
        follow(ours, network, step)
        theirs.update(network)
    state = theirs.ema.state_dict()
    for name, value in ours.state_dict().items():
        torch.testing.assert_close(value, state[name], rtol=1e-5, atol=1e-6)
