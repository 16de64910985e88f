"""The head against the library's own."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from yolox.config import YoloxConfig
from yolox.models import YoloxHead, YoloxModule

from dminity.network.detector import build_network
from dminity.network.head import Head, class_cost
from dminity.network.losses import LOSSES, MATCHED, LossSums
from tests.helpers.detectors import CLASSES, targets


def librarys_own(network: YoloxModule) -> YoloxModule:
    """The same network with the library's head."""
    config = YoloxConfig.get_named_config("yolox_nano")
    config.num_classes = CLASSES
    theirs: YoloxModule = config.get_model()
    theirs.load_state_dict(network.state_dict())
    assert type(theirs.head) is YoloxHead
    return theirs


LIBRARYS_NAMES = {"loss": "total_loss", "box_loss": "iou_loss", "obj_loss": "conf_loss"}
LIBRARYS_NAMES |= {name: name for name in ("cls_loss", "l1_loss", "num_fg")}


@pytest.mark.filterwarnings("ignore:.*torch.cuda.amp.autocast.*:FutureWarning")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("boxes", [0, 1, 9])
@pytest.mark.parametrize("use_l1", [False, True])
def test_losses_and_gradients_are_the_librarys_own(seed: int, boxes: int, use_l1: bool) -> None:
    torch.manual_seed(seed)
    ours = build_network("yolox_nano", CLASSES)
    theirs = librarys_own(ours)
    assert type(ours.head) is Head
    assert list(LIBRARYS_NAMES) == [*LOSSES, MATCHED]
    images, labels = torch.rand(3, 3, 96, 96) * 255, targets(3, boxes, 96, seed)
    ours.head.use_l1 = theirs.head.use_l1 = use_l1
    found, expected = ours(images, labels), theirs(images, labels)
    sums = LossSums.of(found, labels)
    losses = sums.means()
    for name, key in LIBRARYS_NAMES.items():
        if (name, boxes) != ("num_fg", 0):  # the library has 1 for none
            value = float(torch.as_tensor(expected[key]).detach())
            assert losses[name] == pytest.approx(value, rel=1e-5)
    (found["loss"] / sums.divisor).backward()
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
