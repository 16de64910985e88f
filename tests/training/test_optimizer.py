"""Which weights decay."""

from dminity.network.detector import build_network
from dminity.training.optimizer import sgd


def test_only_convolutions_decay() -> None:
    network = build_network("yolox_nano", 2)
    groups = sgd(network, 0.5, 0.9).param_groups
    assert [group["weight_decay"] for group in groups] == [0, 0.5, 0]
    assert {weights.dim() for weights in groups[1]["params"]} == {4}
    listed = [id(weights) for group in groups for weights in group["params"]]
    assert sorted(listed) == sorted(map(id, network.parameters()))
