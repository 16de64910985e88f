"""The weights in a checkpoint, whichever tool wrote it."""

from typing import Any

import torch

from dminity.network.detector import build_network

Weights = dict[str, torch.Tensor]
VARIANTS = ("yolox_nano", "yolox_tiny", "yolox_s", "yolox_m", "yolox_l", "yolox_x")
# Where tools keep the weights among other things, and what they put before each name.
PLACES = ("model", "state_dict")
PREFIXES = ("module.", "_orig_mod.", "model.", "network.")
CLASS_LAYERS = "head.cls_preds."
# How many batches a batch norm has seen: YOLOX makes no use of it, and some tools leave it out.
COUNTER = "num_batches_tracked"


def weights_in(checkpoint: dict[str, Any]) -> Weights:
    """The weights of a checkpoint under YOLOX's own names, in float32.

    Raises:
        ValueError: if it has none, or one that is no finite number or not stored as plain numbers.
    """
    found: Any = checkpoint
    for place in PLACES:
        if isinstance(found, dict) and place in found:
            found = found[place]
    items = found.items() if isinstance(found, dict) else ()
    weights = {name: value for name, value in items if isinstance(value, torch.Tensor)}
    if not weights:
        raise ValueError("holds no weights")
    for name, value in weights.items():
        if value.layout is not torch.strided or value.is_quantized or value.is_meta:
            raise ValueError(f"holds {name} quantized, sparse or empty, not as plain numbers")
    weights = {
        name: value.float() if value.is_floating_point() else value
        for name, value in _without_prefixes(weights).items()
    }
    for name, value in weights.items():
        if not value.isfinite().all():
            raise ValueError(f"holds numbers in {name} that are not finite")
    return weights


def _without_prefixes(weights: Weights) -> Weights:
    """The same weights without what tools have put before all of their names."""
    for prefix in PREFIXES:
        if all(str(name).startswith(prefix) for name in weights):
            return _without_prefixes(
                {name.removeprefix(prefix): value for name, value in weights.items()}
            )
    return weights


def class_count(weights: Weights) -> int:
    """How many classes the weights tell apart; 0 if they have no class layers."""
    bias = weights.get(f"{CLASS_LAYERS}0.bias")
    return 0 if bias is None else bias.numel()


def difference(weights: Weights, network: Weights) -> str:
    """The first thing in which weights do not fit a network of as many classes, or ""."""
    for name, value in network.items():
        if name not in weights:
            if name.endswith(COUNTER):
                continue
            return f"{name} is missing"
        shape, found = list(value.shape), weights[name]
        if CLASS_LAYERS in name:
            shape[0] = class_count(weights)
        if list(found.shape) != shape:
            return f"{name} has the shape {list(found.shape)}, not {shape}"
        if value.is_floating_point() and not found.is_floating_point():
            return f"{name} has the type {found.dtype}"
    other = next((name for name in weights if name not in network), None)
    return "" if other is None else f"it has {other}"


def variant_of(weights: Weights) -> str | None:
    """The variant that weights are of."""
    for variant in VARIANTS:
        with torch.device("meta"):  # shapes only
            network = build_network(variant, 1).state_dict()
        if not difference(weights, network):
            return variant
    return None
