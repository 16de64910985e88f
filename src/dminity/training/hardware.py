"""What this machine offers for training: devices, a precision that pays, a batch that fits."""

import copy
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

import torch
from torch import nn

from dminity.core.errors import DminityError, first_line
from dminity.core.memory import available_bytes

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
PRECISIONS: dict[str, Precision] = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}
# What a step may take of the free memory: workspaces and fragments take the rest.
USABLE_MEMORY = 0.7
# No variant takes more for a pixel of a photo: yolox_x 3,900, yolox_nano 610 (measured).
MOST_BYTES_OF_PIXEL = 5000
PROBE_BOXES = 20


class NoSuchDevice(DminityError):
    """More devices are asked for than there are."""


class NotCompiled(DminityError):
    """The network cannot be compiled for this machine."""


def accelerator() -> Literal["cuda", "cpu"]:
    """GPUs where there are any."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def processes_per_node(devices: int | Literal["auto"]) -> int:
    """One process for each device: every GPU, or else one on the CPU, unless a number is given.

    Raises:
        NoSuchDevice: if there are not so many GPUs, or CPU cores.
    """
    kind = accelerator()
    there = torch.cuda.device_count() if kind == "cuda" else os.cpu_count() or 1
    if devices == "auto":
        return there if kind == "cuda" else 1
    if devices > there:
        name = "GPUs" if kind == "cuda" else "CPU cores"
        raise NoSuchDevice(f"train.devices is {devices}, and there are {there} {name}; lower it")
    return devices


def refuse_without_compiler() -> None:
    """Refuse `train.compile` where the compiler is missing that PyTorch would call.

    Raises:
        NotCompiled: naming it.
    """
    # Inductor writes C++ for CPUs, and the launchers of Triton's kernels for GPUs are in C.
    on_gpu = accelerator() == "cuda"
    variable, usual = ("CC", ("gcc", "clang")) if on_gpu else ("CXX", ("g++",))
    wanted = (os.environ[variable],) if os.environ.get(variable) else usual
    if not any(map(shutil.which, wanted)):
        raise NotCompiled(
            f"train.compile needs a compiler, and {' or '.join(wanted)} is not there; install it "
            "(apt-get install g++), or set train.compile=false"
        )


@contextmanager
def compiler() -> Iterator[None]:
    """Name the mend of what PyTorch's compiler refuses.

    Raises:
        NotCompiled: with the first line of what it said.
    """
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        said = first_line(error)
        raise NotCompiled(f"torch.compile failed: {said}; set train.compile=false") from error


def lightning_precision(wanted: str, variant: str) -> Precision:
    """Lightning's name for a precision; `auto` takes 16 bits where the hardware computes in them.

    On a CPU that means AMX: without it bfloat16 was 5 times slower than float32. With it yolox_s
    trained 1.8 times as fast, and yolox_nano, whose convolutions are depthwise, 0.75 times.
    """
    if wanted != "auto":
        return PRECISIONS[wanted]
    if accelerator() == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16-mixed" if native else "16-mixed"
    has_amx = bool(torch.cpu.get_capabilities().get("amx_bf16"))
    return "bf16-mixed" if has_amx and variant != "yolox_nano" else "32-true"


def largest_batch(
    network: nn.Module, side: int, context: AbstractContextManager[None], processes: int
) -> int:
    """The largest power of two of photos that a training step of `network` can hold.

    Photos have `side` x `side` pixels; on a CPU, so many processes share the free memory.
    """
    free = USABLE_MEMORY * _share_of_free_memory(network, processes)
    _, photo = _bytes_of_step(network, side, context)
    return 1 << int(math.log2(max(1, free / photo)))


def fits(
    network: nn.Module,
    num_photos: int,
    side: int,
    context: AbstractContextManager[None],
    processes: int,
) -> bool:
    """Whether a training step of `network` can hold so many photos, as `largest_batch` has them.

    A CPU's system kills a process that takes too much, and it cannot say why.
    """
    free = USABLE_MEMORY * _share_of_free_memory(network, processes)
    if num_photos * side**2 * MOST_BYTES_OF_PIXEL < free:
        return True
    first, photo = _bytes_of_step(network, side, context)
    return first + (num_photos - 1) * photo < free


def _share_of_free_memory(network: nn.Module, processes: int) -> float:
    """Bytes that are free on the network's device, for one of the processes that share them."""
    device = next(network.parameters()).device
    return free_bytes(device) / (processes if device.type == "cpu" else 1)


def _bytes_of_step(
    network: nn.Module, side: int, context: AbstractContextManager[None]
) -> tuple[int, int]:
    """What a step takes with one photo, and what each other one adds: measured on a copy."""
    probed = copy.deepcopy(network)
    device = next(probed.parameters()).device
    with context:
        one, two = (step_bytes(probed, num_photos, side, device) for num_photos in (1, 2))
    return one, max(1, two - one)


def step_bytes(network: nn.Module, num_photos: int, side: int, device: torch.device) -> int:
    """Bytes that one step keeps between its forward and its backward pass, or its peak on a GPU."""
    images = torch.zeros(num_photos, 3, side, side, device=device)
    targets = torch.tensor([0.0, side / 2, side / 2, side / 4, side / 4], device=device)
    kept: dict[int, int] = {}

    def remember(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with torch.autograd.graph.saved_tensors_hooks(remember, lambda tensor: tensor):
        loss = network(images, targets.expand(num_photos, PROBE_BOXES, 5))["loss"]
    loss.backward()
    network.zero_grad()
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return sum(kept.values())


def free_bytes(device: torch.device) -> int:
    """Memory that is free on a device, or that this process has and does not use."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    return available_bytes()
