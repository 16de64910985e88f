"""What each optimizer does to which weights."""

from typing import Any

import pytest
import torch
from torch import nn

from dminity.network.detector import build_network
from dminity.training.optimizer import MUON_MOMENTUM, OptimizerName, optimizer, orthogonal


def small() -> nn.Sequential:
    """A convolution that mixes channels, a norm, one per channel, and a last one with a bias."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False),
        nn.BatchNorm2d(8),
        nn.Conv2d(8, 8, 3, groups=8, bias=False),
        nn.Conv2d(8, 4, 1),
    )


def give_gradients(network: nn.Module, seed: int) -> None:
    """Gradients drawn at random."""
    torch.manual_seed(seed)
    for weights in network.parameters():
        weights.grad = torch.randn_like(weights)


@pytest.mark.parametrize("name", ["muon", "sgd"])
@pytest.mark.parametrize("variant", ["yolox_nano", "yolox_tiny"])
def test_every_weight_is_in_one_group(name: OptimizerName, variant: str) -> None:
    network = build_network(variant, 2)
    groups = optimizer(network, name, 0.5, 0.9).param_groups
    listed = [id(weights) for group in groups for weights in group["params"]]
    assert sorted(listed) == sorted(map(id, network.parameters()))


def test_only_convolutions_decay() -> None:
    groups = optimizer(build_network("yolox_nano", 2), "sgd", 0.5, 0.9).param_groups
    assert [group["weight_decay"] for group in groups] == [0, 0.5, 0]
    assert {weights.dim() for weights in groups[1]["params"]} == {4}


def test_muon_has_the_filters_that_mix_channels_but_for_the_last() -> None:
    network = small()
    *_, muon = optimizer(network, "muon", 0.5, 0.9).param_groups
    assert [weights is network[0].weight for weights in muon["params"]] == [True]


def test_sgd_is_pytorchs_own() -> None:
    ours, theirs = small(), small()
    own = optimizer(ours, "sgd", 0.1, 0.9)
    decaying: list[torch.Tensor] = [
        layer.weight for layer in theirs if isinstance(layer, nn.Conv2d)
    ]
    others: list[torch.Tensor] = [weights for weights in theirs.parameters() if weights.dim() == 1]
    groups: list[dict[str, Any]] = [
        {"params": decaying, "weight_decay": 0.1},
        {"params": others},
    ]
    library = torch.optim.SGD(
        groups,
        lr=0.05,
        momentum=0.9,
        nesterov=True,
    )
    for step in range(4):
        give_gradients(ours, step)
        give_gradients(theirs, step)
        for group in own.param_groups:
            group["lr"] = 0.05
        own.step()
        library.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6)


def test_muon_is_pytorchs_own_where_both_can() -> None:
    """Matrices, to the digits of the bfloat16 that PyTorch's computes in."""
    torch.manual_seed(1)
    start = torch.randn(24, 8)
    convolution = nn.Conv2d(8, 24, 1, bias=False)
    convolution.weight = nn.Parameter(start.clone()[:, :, None, None])
    matrix = nn.Parameter(start.clone())
    own = optimizer(convolution, "muon", 0.0, 0.9)
    library = torch.optim.Muon(
        [matrix], lr=0.1, momentum=MUON_MOMENTUM, weight_decay=0.0, ns_steps=3
    )
    for step in range(3):
        torch.manual_seed(step)
        matrix.grad = torch.randn(24, 8)
        convolution.weight.grad = matrix.grad.clone()[:, :, None, None]
        for group in own.param_groups:
            group["lr"] = 0.1
        own.step()
        library.step()  # type: ignore[no-untyped-call]
    moved = convolution.weight.detach().flatten(1) - start
    assert moved.norm() > 0.3
    torch.testing.assert_close(moved, matrix.detach() - start, rtol=0.05, atol=0.02)


@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (4, 64), (64, 4)])
def test_orthogonal_steps_keep_directions_and_even_out_lengths(rows: int, columns: int) -> None:
    torch.manual_seed(2)
    u, _, vh = torch.linalg.svd(torch.randn(3, rows, columns), full_matrices=False)
    # The longest all but makes up the norm, the shortest is a fortieth of it.
    lengths = torch.logspace(0, -1.6, min(rows, columns)).expand(3, -1)
    found = orthogonal(u @ torch.diag_embed(lengths) @ vh) / max(1.0, rows / columns) ** 0.5
    # In the matrices' own directions they are diagonal.
    diagonal = u.mT @ found @ vh.mT
    evened = diagonal.diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(diagonal, torch.diag_embed(evened), rtol=0, atol=1e-4)
    assert 0.6 < evened.min() <= evened.max() < 1.3


def test_orthogonal_steps_do_not_depend_on_how_long_gradients_are() -> None:
    torch.manual_seed(3)
    matrices = torch.randn(1, 6, 10)
    torch.testing.assert_close(orthogonal(matrices * 1e4), orthogonal(matrices))
    assert orthogonal(torch.zeros(1, 6, 10)).abs().sum() == 0


def test_weights_without_a_gradient_keep_still_and_join_later() -> None:
    network = small()
    own = optimizer(network, "muon", 0.5, 0.9)
    before = [weights.detach().clone() for weights in network.parameters()]
    for group in own.param_groups:
        group["lr"] = 0.1
    own.step()
    for weights, old in zip(network.parameters(), before, strict=True):
        assert torch.equal(weights, old)
    give_gradients(network, 0)
    own.step()
    for weights, old in zip(network.parameters(), before, strict=True):
        assert not torch.equal(weights, old)
