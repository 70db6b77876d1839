"""Gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..backend import Array
from ..core import Tensor
from .optimizer import Optimizer, kept


class SGD(Optimizer):
    """p := p - lr v, where v is the gradient g, or with momentum v := momentum v + g, which starts at zero.

    With `nesterov`, p := p - lr (g + momentum v) (Sutskever et al. 2013, rewritten so that gradients are taken at p).
    As in PyTorch, lr multiplies the whole velocity. `weight_decay` adds weight_decay * p to g. Raises ValueError for
    Nesterov's without momentum.
    """

    hyperparameters = ("lr", "momentum", "nesterov", "weight_decay")
    may_remember = ("velocity",)

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.0, nesterov: bool = False,
                 weight_decay: float = 0.0) -> None:  # fmt: skip
        self.momentum, self.nesterov = momentum, nesterov
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov=True looks ahead along the momentum: give momentum=, say 0.9")
        super().__init__(params, lr, weight_decay)

    def change(self, p: Array, g: Array, memory: dict[str, Any]) -> Array:
        if not self.momentum:
            return self.lr * g
        v = kept("velocity", memory, p)
        v *= self.momentum
        v += g
        return self.lr * (g + self.momentum * v) if self.nesterov else self.lr * v
