"""The moving average against YOLOX's."""

import torch
from yolox.utils import ModelEMA

from dminity.network.detector import build_network
from dminity.training.averaging import average_of, follow

CLASSES = 30


def targets(photos: int, boxes: int, side: int, seed: int) -> torch.Tensor:
    """Random targets [photos, 120, 5]; the nth photo has n fewer boxes."""
    draw = torch.Generator().manual_seed(seed)
    table = torch.zeros(photos, 120, 5)
    for photo in range(photos):
        for box in range(max(0, boxes - photo)):
            label = torch.randint(CLASSES, (1,), generator=draw)
            table[photo, box] = torch.cat([label, torch.rand(4, generator=draw) * side / 2 + 4])
    return table


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
