"""Filters of one norm find what they found."""

import pytest
import torch
from torch import nn
from yolox.models import YoloxModule
from yolox.models.network_blocks import BaseConv

from dminity.network.detector import build_network
from dminity.training.filters import FRESH_NORM, even_out
from tests.helpers.detectors import CLASSES

PHOTOS = torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 255


def norms_of(network: nn.Module) -> list[nn.BatchNorm2d]:
    """The batch norms of a network."""
    return [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)]


@pytest.fixture
def folded() -> YoloxModule:
    """A network with filters of all lengths, as batch norms leave them that were folded."""
    torch.manual_seed(0)
    network = build_network("yolox_nano", CLASSES).eval()
    for convolution in (each for each in network.modules() if isinstance(each, nn.Conv2d)):
        lengths = 10 ** torch.empty(len(convolution.weight)).uniform_(-3, 1)
        convolution.weight.data *= lengths[:, None, None, None]
    # Statistics as they are of such filters.
    for norm in norms_of(network):
        norm.momentum = 1.0
        norm.train()
    with torch.no_grad():
        network(PHOTOS)
    network.eval()
    return network


def norms(network: nn.Module) -> torch.Tensor:
    """Those of all filters before a batch norm."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    weights = [layer.weight for layer in layers if layer.bias is None]
    return torch.cat([each.detach().flatten(1).norm(dim=1) for each in weights])


@torch.no_grad()
@pytest.mark.parametrize("by_batch", [False, True])
def test_what_a_layer_finds_stays(by_batch: bool) -> None:
    """With running statistics, and with those of a batch, of which the running ones are."""
    torch.manual_seed(0)
    layer = BaseConv(3, 64, 3, 1)
    layer.conv.weight *= (10 ** torch.linspace(-4, 2, 64))[:, None, None, None]
    layer.bn.momentum = 1.0
    layer(PHOTOS / 255)
    layer.bn.momentum = 0.0
    layer.train(by_batch)
    before = layer(PHOTOS / 255)
    even_out(layer)
    torch.testing.assert_close(layer(PHOTOS / 255), before, rtol=1e-3, atol=1e-5)


@torch.no_grad()
def test_what_is_found_stays(folded: YoloxModule) -> None:
    images = PHOTOS
    before = folded(images)
    last = [layer.weight.clone() for layer in folded.head.obj_preds]
    even_out(folded)
    torch.testing.assert_close(folded(images), before, rtol=1e-3, atol=1e-3)
    # No batch norm follows those.
    assert all(
        torch.equal(layer.weight, kept)
        for layer, kept in zip(folded.head.obj_preds, last, strict=True)
    )


def test_filters_have_the_norm_of_fresh_ones(folded: YoloxModule) -> None:
    even_out(folded)
    assert norms(folded).tolist() == pytest.approx([FRESH_NORM] * len(norms(folded)), rel=1e-4)
    fresh = norms(build_network("yolox_s", CLASSES))
    assert fresh.mean() == pytest.approx(FRESH_NORM, rel=0.02)


def test_a_filter_without_a_weight_stays_so(folded: YoloxModule) -> None:
    stem = folded.backbone.backbone.stem.conv
    stem.conv.weight.data[3] = 0
    mean, variance = stem.bn.running_mean[3].item(), stem.bn.running_var[3].item()
    even_out(folded)
    assert not stem.conv.weight[3].any()
    assert stem.bn.running_mean[3] == mean
    assert stem.bn.running_var[3] == pytest.approx(variance, abs=1e-6)
    assert all(value.isfinite().all() for value in folded.state_dict().values())
