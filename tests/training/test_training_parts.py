"""What training is made of: head, average, batch norm, schedule, batches, hardware."""

import math
import os
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from yolox.config import YoloxConfig
from yolox.models import YoloxHead, YoloxModule
from yolox.utils import ModelEMA

from dminity.loader.batches import epoch_batches, epoch_order
from dminity.network.detector import build_network
from dminity.network.head import Head, class_cost
from dminity.network.losses import LOSSES, LossSums, head_losses
from dminity.training import hardware
from dminity.training.averaging import average_of, follow
from dminity.training.hardware import NoSuchDevice, largest_batch, processes_per_node
from dminity.training.optimizer import sgd
from dminity.training.schedule import Schedule
from dminity.training.step import resized
from tests.helpers.training_runs import settings

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


def librarys_own(network: YoloxModule) -> YoloxModule:
    """The same network with the library's head."""
    config = YoloxConfig.get_named_config("yolox_nano")
    config.num_classes = CLASSES
    theirs: YoloxModule = config.get_model()
    theirs.load_state_dict(network.state_dict())
    assert type(theirs.head) is YoloxHead
    return theirs


@pytest.mark.filterwarnings("ignore:.*torch.cuda.amp.autocast.*:FutureWarning")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("boxes", [0, 1, 9])
@pytest.mark.parametrize("use_l1", [False, True])
def test_losses_and_gradients_are_the_librarys_own(seed: int, boxes: int, use_l1: bool) -> None:
    torch.manual_seed(seed)
    ours = build_network("yolox_nano", CLASSES)
    theirs = librarys_own(ours)
    assert type(ours.head) is Head
    images, labels = torch.rand(3, 3, 96, 96) * 255, targets(3, boxes, 96, seed)
    ours.head.use_l1 = theirs.head.use_l1 = use_l1
    found, expected = ours(images, labels), theirs(images, labels)
    sums = LossSums.of(found, labels)
    losses = sums.means()
    for name, key in (LOSSES | {"num_fg": "num_fg"}).items():
        if (name, boxes) != ("num_fg", 0):  # the library has 1 for none
            value = float(torch.as_tensor(expected[key]).detach())
            assert losses[name] == pytest.approx(value, rel=1e-5)
    (found["total_loss"] / sums.divisor).backward()
    expected["total_loss"].backward()
    for mine, yours in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, yours.grad, rtol=1e-3, atol=1e-4)


@given(st.integers(1, 5), st.integers(1, 40), st.integers(1, 7), st.integers(0, 99))
def test_the_class_cost_is_a_binary_cross_entropy(
    boxes: int, anchors: int, classes: int, seed: int
) -> None:
    draw = torch.Generator().manual_seed(seed)
    scores = torch.rand(anchors, classes, generator=draw).round(decimals=1)  # 0 and 1 among them
    labels = torch.randint(classes, (boxes,), generator=draw)
    expected = torch.nn.functional.binary_cross_entropy(
        scores.expand(boxes, -1, -1),
        torch.nn.functional.one_hot(labels, classes)[:, None].expand(-1, anchors, -1).float(),
        reduction="none",
    ).sum(-1)
    torch.testing.assert_close(class_cost(scores, labels), expected, rtol=1e-5, atol=1e-4)


def test_boxes_are_decoded_in_float32_under_bfloat16() -> None:
    torch.manual_seed(0)
    network = build_network("yolox_nano", CLASSES).eval()
    images = torch.rand(1, 3, 640, 640) * 255
    with torch.inference_mode():
        exact = network(images)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = network(images)
    assert found.dtype == torch.float32
    # bfloat16 itself could not count beyond 512 pixels but in steps of 4.
    assert float((found - exact)[..., :2].abs().max()) < 0.5


def test_sums_of_parts_are_the_sum_of_the_whole() -> None:
    torch.manual_seed(0)
    network = build_network("yolox_nano", CLASSES).eval()
    network.training = True
    images, labels = torch.rand(4, 3, 96, 96) * 255, targets(4, 3, 96, 1)
    assert (labels[3] == 0).all(), "a part without a box is among them"
    sums = []
    for chosen in (slice(0, 4), slice(0, 1), slice(1, 3), slice(3, 4)):
        losses = head_losses(
            network.head, network.backbone(images[chosen]), labels[chosen], images[chosen]
        )
        sums.append(LossSums.of(losses, labels[chosen]))
        assert not network.head.training
    parts = LossSums.zeros(torch.device("cpu")) + sums[1] + sums[2] + sums[3]
    torch.testing.assert_close(parts.values, sums[0].values, rtol=1e-4, atol=1e-3)
    assert parts.means() == pytest.approx(sums[0].means(), rel=1e-4)


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


def test_only_convolutions_decay() -> None:
    network = build_network("yolox_nano", 2)
    groups = sgd(network, 0.5, 0.9).param_groups
    assert [group["weight_decay"] for group in groups] == [0, 0.5, 0]
    assert {weights.dim() for weights in groups[1]["params"]} == {4}
    listed = [id(weights) for group in groups for weights in group["params"]]
    assert sorted(listed) == sorted(map(id, network.parameters()))


@pytest.mark.parametrize("epochs", [1, 10, 300])
def test_phases_scale_with_the_epochs(epochs: int) -> None:
    schedule = Schedule(settings(epochs=epochs, warmup=0.1, no_aug=0.2, lr=1.0))
    rates = [schedule.lr(share * epochs, 64) for share in (0.05, 0.1, 0.5, 0.8, 0.9, 1.0)]
    assert rates[0] == pytest.approx(0.25)
    assert rates[1] == max(rates) == pytest.approx(1.0)
    assert 0.05 < rates[2] < 1
    if epochs > 1:
        assert rates[-2:] == [pytest.approx(0.05)] * 2
        assert [schedule.is_plain(epoch) for epoch in range(epochs)].count(True) == epochs // 5


def test_rates_follow_the_batch() -> None:
    schedule = Schedule(settings(lr=0.01, batch_schedule={0: 32, 20: 8}))
    assert [schedule.batch_size(epoch, 4) for epoch in (0, 19, 20, 99)] == [32, 32, 8, 8]
    assert schedule.lr(1, 32) == pytest.approx(4 * schedule.lr(1, 8))


def test_sides_change_every_ten_batches_and_by_the_seed() -> None:
    schedule = Schedule(settings(input_size=128, multiscale=2))
    sides = [[schedule.side(epoch, batch) for batch in range(30)] for epoch in range(40)]
    assert {side for epoch in sides for side in epoch} == {64, 96, 128, 160, 192}
    assert schedule.largest_side == 192
    assert all(len(set(epoch[start : start + 10])) == 1 for epoch in sides for start in (0, 10, 20))
    again = Schedule(settings(input_size=128, multiscale=2))
    assert [[again.side(epoch, batch) for batch in range(30)] for epoch in range(40)] == sides
    assert {Schedule(settings(input_size=128)).side(0, batch) for batch in range(30)} == {128}


@given(st.integers(1, 90), st.integers(1, 16), st.integers(1, 4))
def test_processes_share_every_batch_equally(count: int, per_process: int, processes: int) -> None:
    size = per_process * processes
    shares = [epoch_batches(count, size, 3, rank, processes) for rank in range(processes)]
    whole = epoch_batches(count, size, 3)
    for batch in range(len(whole)):
        places = [place for share in shares for place in share[batch]]
        assert len(set(places)) == len(places)
        assert {len(share[batch]) for share in shares} == {len(places) // processes}
        if count >= size:
            assert set(places) == set(whole[batch])
            assert len(places) == size
    assert len(whole) == max(1, count // size)
    taken = [place.position for batch in whole for place in batch]
    assert taken == list(range(len(taken)))


def test_an_order_is_a_permutation_of_its_epoch_and_seed() -> None:
    orders = [epoch_order(50, seed, epoch).tolist() for seed in (1, 2) for epoch in (0, 1)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4
    assert epoch_order(50, 1, 0).tolist() == orders[0]


def test_more_devices_than_there_are_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "accelerator", lambda: "cpu")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert (processes_per_node("auto"), processes_per_node(3)) == (1, 3)
    with pytest.raises(NoSuchDevice, match=r"train.devices is 4, and there are 3 CPU cores; lower"):
        processes_per_node(4)


# GPUs are made up: the answers of PyTorch, not the computing.
@pytest.mark.parametrize(
    ("gpu", "bf16", "amx", "variant", "expected"),
    [
        (True, True, False, "yolox_nano", "bf16-mixed"),
        (True, False, False, "yolox_s", "16-mixed"),
        (False, False, True, "yolox_s", "bf16-mixed"),
        (False, False, True, "yolox_nano", "32-true"),
        (False, False, False, "yolox_s", "32-true"),
    ],
)
def test_precision_follows_the_hardware(
    monkeypatch: pytest.MonkeyPatch, gpu: bool, bf16: bool, amx: bool, variant: str, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: bf16)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": amx})
    assert hardware.lightning_precision("auto", variant) == expected
    assert hardware.lightning_precision("fp16", variant) == "16-mixed"


def test_the_largest_batch_fills_the_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_network("yolox_nano", 2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    sizes = {}
    for free in (0, 10**9, 2 * 10**9):
        monkeypatch.setattr(hardware, "free_bytes", lambda _, free=free: free)
        sizes[free] = largest_batch(network, 128, nullcontext(), processes=1)
    assert sizes[0] == 1
    assert sizes[2 * 10**9] == 2 * sizes[10**9] > 2
    assert math.log2(sizes[10**9]).is_integer()
    assert largest_batch(network, 128, nullcontext(), processes=2) == sizes[10**9]
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, before[name])


def test_memory_of_a_step_grows_with_its_photos() -> None:
    network = build_network("yolox_nano", 2)
    one, two, four = (
        hardware.step_bytes(network, photos, 128, torch.device("cpu")) for photos in (1, 2, 4)
    )
    assert four - two == pytest.approx(2 * (two - one), rel=0.05)
    activations = np.prod([16, 64, 64]) * 4  # of the first layer alone
    assert two - one > activations


@pytest.mark.parametrize("side", [352, 416, 480])
def test_photos_come_to_any_side(side: int) -> None:
    images = torch.zeros(1, 416, 416, 3, dtype=torch.uint8)
    inputs, moved = resized(images, torch.full((1, 1, 5), 104.0), side)
    assert inputs.shape == (1, 3, side, side)
    assert moved[0, 0].tolist() == pytest.approx([104, *[side / 4] * 4])
