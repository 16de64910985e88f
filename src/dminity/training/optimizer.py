"""The optimizers: SGD with momentum, as YOLOX has it, and Muon for the weights that it is made for.

Muon (https://kellerjordan.github.io/posts/muon/) takes the momentum of a matrix of weights and
makes it orthogonal: all directions are learned at the same speed, those that gradients favor and
the others. PyTorch's own takes matrices only, and computes in bfloat16, which CPUs are slow at.
"""

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

OptimizerName = Literal["muon", "sgd"]

# Muon's own settings: its momentum, and the iteration of Newton and Schulz with its coefficients,
# which brings singular values near to 1.
MUON_MOMENTUM = 0.95
ITERATIONS = 3
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
TINY = 1e-7
BUFFER = "momentum_buffer"


class Optimizer(torch.optim.Optimizer):
    """SGD with Nesterov's momentum, or Muon, for each group of weights.

    Groups say which by `is_muon`; a group of SGD's has its own `momentum` and `weight_decay`.
    Learning rates are to be set before each step. Weights without a gradient stay as they are.
    """

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        super().__init__(groups, {"lr": 0.0})
        # From the start, as the weights of a frozen backbone join later.
        for group in self.param_groups:
            for weights in group["params"]:
                self.state[weights][BUFFER] = torch.zeros_like(weights)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Move all weights along their gradients; a `closure` computes the gradients first."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            weights = [weights for weights in group["params"] if weights.grad is not None]
            if weights:
                steps = self._muon(weights) if group["is_muon"] else self._sgd(weights, group)
                torch._foreach_add_(weights, steps, alpha=-group["lr"])
        return loss

    def _sgd(self, weights: list[torch.Tensor], group: dict[str, Any]) -> list[torch.Tensor]:
        """The direction of each weight: decay, and momentum with Nesterov's look ahead."""
        gradients = list(
            torch._foreach_add(_gradients(weights), weights, alpha=group["weight_decay"])
        )
        buffers = [self.state[value][BUFFER] for value in weights]
        torch._foreach_mul_(buffers, group["momentum"])
        torch._foreach_add_(buffers, gradients)
        return list(torch._foreach_add(gradients, buffers, alpha=group["momentum"]))

    def _muon(self, weights: list[torch.Tensor]) -> list[torch.Tensor]:
        """The direction of each weight, its filters as the rows of a matrix made orthogonal."""
        gradients = _gradients(weights)
        buffers = [self.state[value][BUFFER] for value in weights]
        torch._foreach_lerp_(buffers, gradients, 1 - MUON_MOMENTUM)
        directions = torch._foreach_lerp(gradients, buffers, MUON_MOMENTUM)
        # Matrices of one shape are a batch: most layers are small, and calls cost more than sums.
        alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, value in enumerate(weights):
            alike[tuple(value.flatten(1).shape)].append(index)
        steps = list(directions)
        for indices in alike.values():
            batch = orthogonal(torch.stack([directions[index].flatten(1) for index in indices]))
            for index, matrix in zip(indices, batch, strict=True):
                steps[index] = matrix.view_as(weights[index])
        return steps


def _gradients(weights: list[torch.Tensor]) -> list[torch.Tensor]:
    """Their gradients."""
    return [value.grad for value in weights if value.grad is not None]


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """Matrices [N, R, C], float32, of the same directions, with singular values near to each other.

    Muon's own five iterations bring all but the least of them to 0.7 to 1.2; three do so for those
    of more than a fiftieth of the matrix's norm, and cost three fifths of the time. Matrices of
    more rows than columns are longer by the root of R / C, as Muon has it.
    """
    rows, columns = matrices.shape[1:]
    wide = matrices.mT if rows > columns else matrices
    a, b, c = COEFFICIENTS
    found = wide / (wide.norm(dim=(1, 2), keepdim=True) + TINY)
    for _ in range(ITERATIONS):
        gram = found @ found.mT
        # In one call each: b G + c G G, and then a X + (b G + c G G) X.
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        found = torch.baddbmm(found, polynomial, found, beta=a)
    turned: torch.Tensor = found.mT if rows > columns else found
    return turned * math.sqrt(max(1.0, rows / columns))


def optimizer(
    network: nn.Module, name: OptimizerName, weight_decay: float, momentum: float
) -> Optimizer:
    """The optimizer of a network of YOLOX's, in three groups and, with Muon, a fourth.

    SGD has the scales of batch norms, weights of convolutions, and biases of both; it decays
    convolutions alone. Muon takes over those convolutions that mix channels, but for the last ones:
    it is not made for filters of one channel, nor for what comes out of a network.
    """
    modules = [module for _, module in network.named_modules()]
    convolutions = [module for module in modules if isinstance(module, nn.Conv2d)]
    norms = [module for module in modules if isinstance(module, _BatchNorm)]
    # Only the last convolutions of YOLOX have biases; batch norm follows all others.
    mixing = [layer for layer in convolutions if layer.groups == 1 and layer.bias is None]
    by_muon = set(mixing) if name == "muon" else set()
    sgd: dict[str, Any] = {"is_muon": False, "momentum": momentum, "weight_decay": 0.0}
    groups = [
        sgd | {"params": [norm.weight for norm in norms]},
        sgd
        | {
            "params": [layer.weight for layer in convolutions if layer not in by_muon],
            "weight_decay": weight_decay,
        },
        sgd
        | {"params": [layer.bias for layer in (*convolutions, *norms) if layer.bias is not None]},
    ]
    if by_muon:
        groups.append({"is_muon": True, "params": [layer.weight for layer in mixing]})
    return Optimizer(groups)
