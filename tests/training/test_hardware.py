"""Devices, precision, and the batch that fits."""

import math
import os
from contextlib import nullcontext

import numpy as np
import pytest
import torch

from dminity.network.detector import build_network
from dminity.training import hardware
from dminity.training.hardware import NoSuchDevice, largest_batch, processes_per_node


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
