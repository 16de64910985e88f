"""The optimizer of YOLOX: SGD with momentum, which decays the weights of convolutions alone."""

from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def sgd(network: nn.Module, weight_decay: float, momentum: float) -> torch.optim.SGD:
    """SGD in three groups: scales of batch norms, weights of convolutions, biases of both.

    Its learning rate is to be set before each step.
    """
    modules = list(network.modules())
    convolutions = [module for module in modules if isinstance(module, nn.Conv2d)]
    norms = [module for module in modules if isinstance(module, _BatchNorm)]
    groups: list[dict[str, Any]] = [
        {"params": [norm.weight for norm in norms]},
        {"params": [layer.weight for layer in convolutions], "weight_decay": weight_decay},
        {"params": [layer.bias for layer in (*convolutions, *norms) if layer.bias is not None]},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.0, momentum=momentum, nesterov=True, fused=True)
    # PyTorch's fused SGD does not take parameters that join later, as a frozen backbone's do.
    for weights in network.parameters():
        optimizer.state[weights]["momentum_buffer"] = torch.zeros_like(weights)
    return optimizer
