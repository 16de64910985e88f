"""What is unknown teaches nothing; what is known teaches as it always did."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from yolox.models import YoloxModule

from dminity.detection.unknown import ANYTHING, SPACING, bits_of
from dminity.loader.unknown import Unknown
from dminity.network.detector import build_network
from dminity.network.grid import Grid
from dminity.network.head import Head, class_cost
from dminity.network.losses import LOSSES
from dminity.network.unknown import at_anchors, background_weights, unknown_classes
from tests.helpers.detectors import CLASSES, targets

SIDE = 64
COUCH, SOFA_BED, BED = 0, 1, 2


@pytest.fixture(scope="module")
def network() -> YoloxModule:
    """A network that is fairly sure of everything everywhere; a fresh one is of nothing."""
    torch.manual_seed(0)
    network = build_network("yolox_nano", CLASSES)
    for layer in (*network.head.obj_preds, *network.head.cls_preds):
        torch.nn.init.constant_(layer.bias, 1.0)
    return network


def losses(
    network: YoloxModule, labels: torch.Tensor, unknown: torch.Tensor | None
) -> dict[str, Any]:
    """The losses of some images, and the gradient of each."""
    torch.manual_seed(1)
    images = torch.rand(len(labels), 3, SIDE, SIDE) * 255
    weights = list(network.parameters())
    found = network(images, labels, unknown)
    gradients = torch.autograd.grad(found["loss"], weights, allow_unused=True)
    return {name: found[name].detach() for name in LOSSES} | {"gradients": gradients}


def everywhere(bits: int, photos: int = 1) -> torch.Tensor:
    """Maps with the same everywhere."""
    return torch.full((photos, SIDE // SPACING, SIDE // SPACING), bits, dtype=torch.int64)


def test_where_all_is_known_maps_change_no_bit(network: YoloxModule) -> None:
    labels = targets(2, 4, SIDE, seed=3)
    expected = losses(network, labels, None)
    for unknown in (everywhere(0, 2), torch.zeros(2, 0, 0, dtype=torch.int64)):
        found = losses(network, labels, unknown)
        for name in LOSSES:
            assert torch.equal(found[name], expected[name])
        for mine, other in zip(found["gradients"], expected["gradients"], strict=True):
            assert (mine is None and other is None) or torch.equal(mine, other)


def test_a_group_teaches_nothing(network: YoloxModule) -> None:
    found = losses(network, torch.zeros(1, 120, 5), everywhere(ANYTHING))
    assert all(found[name] == 0 for name in LOSSES)
    assert not any(gradient.any() for gradient in found["gradients"] if gradient is not None)


def objectness_gradient(unknown_bits: int, logits: list[float], matched: bool = False) -> float:
    """What the objectness of an anchor with these class logits is moved by."""
    head = build_network("yolox_nano", len(logits)).head
    outputs = torch.tensor([[[9.0, 9, 4, 4, 0.5, *logits]]], requires_grad=True)
    bits = torch.tensor([[unknown_bits]])
    head.objectness_loss(outputs, torch.tensor([[matched]]), bits).backward()
    assert outputs.grad is not None
    assert not outputs.grad[..., 5:].any(), "the weight is no way to a lower loss"
    return float(outputs.grad[0, 0, 4])


def test_an_unlabelled_object_of_an_unverified_class_is_pressed_down_less() -> None:
    sure = [4.0, -4.0, -4.0]
    absent = objectness_gradient(0, sure)
    assert absent > 0
    unverified = objectness_gradient(bits_of([0]), sure)
    assert 0 < unverified < 0.5 * absent
    # By the likelihood that no object of a known class is there (`network.unknown`).
    objectness = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    scores = torch.tensor(sure, dtype=torch.float64).sigmoid()
    known_share = 1 - float(scores[0] / scores.sum())
    loss = -(1 - objectness.sigmoid() * known_share).log()
    loss.backward()  # type: ignore[no-untyped-call]
    assert objectness.grad is not None
    assert unverified == pytest.approx(float(objectness.grad), rel=1e-5)
    # It looks like nothing that is unknown: background as ever.
    assert objectness_gradient(bits_of([1, 2]), sure) == pytest.approx(absent, rel=0.1)
    assert objectness_gradient(ANYTHING, sure) == 0
    # A box makes it sure that something is there, whatever else is unknown.
    box = objectness_gradient(0, sure, matched=True)
    assert box < 0
    assert objectness_gradient(bits_of([0, 1, 2]) | ANYTHING, sure, matched=True) == box


def test_a_sure_network_is_pressed_down_less_as_a_whole(network: YoloxModule) -> None:
    empty = torch.zeros(1, 120, 5)
    known = losses(network, empty, None)["obj_loss"]
    unknown = losses(network, empty, everywhere(bits_of([5])))["obj_loss"]
    assert 0.8 * known < unknown < known
    unknown = losses(network, empty, everywhere(bits_of(range(1, CLASSES))))["obj_loss"]
    assert 0 < unknown < 0.2 * known


def test_weights_of_scores_at_their_ends_are_numbers() -> None:
    outputs = torch.tensor([0.0, 0, 4, 4, 200, -200, -200]).repeat(1, 4, 1)
    outputs[0, 1, 4] = -200
    outputs[0, 2, 5:] = 200
    bits = torch.tensor([[0, bits_of([0]), bits_of([0]), bits_of([0, 1])]])
    # Without a score there is no share: nothing looks unknown.
    assert background_weights(outputs, bits)[0].tolist() == pytest.approx([1, 1, 0, 1])


@pytest.fixture
def head() -> Head:
    """A head of three classes of which one is a kind of another."""
    head: Head = build_network("yolox_nano", 3).head
    head.kinds = ((SOFA_BED, COUCH),)
    return head


def class_gradient(head: Head, label: int, unknown_bits: int | None) -> list[float]:
    """What the three class logits of an anchor are moved by, whose box is of a class."""
    logits = torch.zeros(1, 3, requires_grad=True)
    bits = None if unknown_bits is None else torch.tensor([unknown_bits])
    loss = head.class_loss(logits, torch.tensor([label]), torch.tensor([0.8]), bits)
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    found: list[float] = logits.grad[0].tolist()
    return found


def test_class_gradients_do_not_move_with_unverified_classes(head: Head) -> None:
    everything = bits_of([COUCH, SOFA_BED, BED])
    for bits in (None, 0, bits_of([COUCH]), bits_of([COUCH, SOFA_BED]), everything):
        assert class_gradient(head, BED, bits) == pytest.approx([0.5, 0.5, -0.3])
    # But for what the box itself may be.
    assert class_gradient(head, COUCH, everything) == pytest.approx([-0.3, 0, 0.5])


def test_a_sofa_bed_is_a_couch_and_a_couch_alone_says_nothing_of_sofa_beds(head: Head) -> None:
    assert class_gradient(head, SOFA_BED, None) == pytest.approx([-0.3, -0.3, 0.5])
    assert class_gradient(head, SOFA_BED, bits_of([COUCH])) == pytest.approx([-0.3, -0.3, 0.5])
    assert class_gradient(head, COUCH, bits_of([SOFA_BED])) == pytest.approx([-0.3, 0, 0.5])
    # Somebody looked for sofa beds, and called this one a couch.
    assert class_gradient(head, COUCH, 0) == pytest.approx([-0.3, 0.5, 0.5])
    head.kinds = ()
    assert class_gradient(head, SOFA_BED, None) == pytest.approx([0.5, -0.3, 0.5])


def test_the_class_cost_leaves_out_what_a_box_may_be(head: Head) -> None:
    scores = torch.tensor([[0.5, 0.2, 0.9], [0.5, 0.7, 0.1]])
    labels = torch.tensor([SOFA_BED, BED, COUCH])
    unknown = torch.tensor([[True, True, False], [False, False, True]])
    known = class_cost(scores, labels, head.kinds)
    found = class_cost(scores, labels, head.kinds, unknown)
    assert torch.equal(found[:2], known[:2])
    # Nobody looked for sofa beds at the first anchor.
    less = torch.tensor([-(1 - scores[0, SOFA_BED]).log(), 0.0])
    torch.testing.assert_close(found[2], known[2] - less)
    assert torch.equal(class_cost(scores, labels, head.kinds, ~unknown & False), known)


side = st.integers(1, 4).map(lambda number: 32 * number)
corner = st.one_of(st.integers(-8, 136), st.floats(-8, 136))


@given(side, side, st.tuples(corner, corner, corner, corner))
def test_an_anchor_knows_of_the_box_that_its_center_is_in(
    height: int, width: int, corners: tuple[float, float, float, float]
) -> None:
    left, right = sorted(corners[:2])
    top, bottom = sorted(corners[2:])
    box = Unknown.of(np.array([left, top, right, bottom]), [6])
    unknown = torch.from_numpy(box.mapped((height, width)))[None]
    strides, x, y = (values.flatten() for values in anchors(height, width))
    expected = [
        6 if left < (column + 0.5) * stride < right and top < (row + 0.5) * stride < bottom else 0
        for stride, column, row in zip(strides.tolist(), x.tolist(), y.tolist(), strict=True)
    ]
    assert at_anchors(unknown, anchors(height, width))[0].tolist() == expected


def anchors(height: int, width: int) -> Grid:
    """The anchor points of YOLOX for an input of so many pixels."""
    points = [
        (float(stride), float(column), float(row))
        for stride in (8, 16, 32)
        for row in range(height // stride)
        for column in range(width // stride)
    ]
    return Grid(*torch.tensor(points).T[:, None])


def test_groups_are_told_of_any_number_of_classes() -> None:
    bits = torch.tensor([[0, ANYTHING]])
    assert not unknown_classes(bits, 80).any()
    assert background_weights(torch.zeros(1, 2, 85), bits).tolist() == [[1, 0]]
    found = unknown_classes(torch.tensor(bits_of([0, 61])), 80)
    assert found.nonzero().flatten().tolist() == [0, 61]
