"""Methods with a learning rate for each number, from the sizes of its past gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..backend import Array, xp
from ..core import Tensor
from .optimizer import Optimizer, kept


class Adagrad(Optimizer):
    """s := s + g^2; p := p - lr g / (sqrt(s) + eps) (Duchi, Hazan & Singer 2011): steps only ever shrink."""

    hyperparameters = ("lr", "eps", "weight_decay")
    remembers = ("squares",)

    def __init__(self, params: Iterable[Tensor], lr: float = 0.01, eps: float = 1e-10,
                 weight_decay: float = 0.0) -> None:  # fmt: skip
        self.eps = eps
        super().__init__(params, lr, weight_decay)

    def change(self, p: Array, g: Array, memory: dict[str, Any]) -> Array:
        s = kept("squares", memory, p)
        s += g * g
        return self.lr * g / (xp(s).sqrt(s) + self.eps)


class RMSprop(Optimizer):
    """s := alpha s + (1 - alpha) g^2; p := p - lr g / (sqrt(s) + eps) (Tieleman & Hinton 2012, lecture 6.5).

    With `centered`, s - m^2 stands for s, where m is the running mean of g (Graves 2013, equations 38 to 41, but for
    the place of eps); with `momentum`, v := momentum v + g / (sqrt(s) + eps) and p := p - lr v.
    """

    hyperparameters = ("lr", "alpha", "eps", "momentum", "centered", "weight_decay")
    remembers = ("squares",)
    may_remember = ("mean", "velocity")

    def __init__(self, params: Iterable[Tensor], lr: float = 0.01, alpha: float = 0.99, eps: float = 1e-8,
                 momentum: float = 0.0, centered: bool = False, weight_decay: float = 0.0) -> None:  # fmt: skip
        self.alpha, self.eps, self.momentum, self.centered = alpha, eps, momentum, centered
        super().__init__(params, lr, weight_decay)

    def change(self, p: Array, g: Array, memory: dict[str, Any]) -> Array:
        s = _running_mean("squares", memory, g * g, self.alpha)
        if self.centered:
            m = _running_mean("mean", memory, g, self.alpha)
            s = xp(s).maximum(s - m * m, 0)  # never negative but by rounding
        change = g / (xp(s).sqrt(s) + self.eps)
        if self.momentum:
            v = kept("velocity", memory, p)
            v *= self.momentum
            v += change
            change = v
        return self.lr * change


class Adam(Optimizer):
    """Running means m of g and s of g^2, both corrected for starting at zero: p := p - lr m / (sqrt(s) + eps) (Kingma &
    Ba 2015, algorithm 1)."""

    hyperparameters = ("lr", "beta1", "beta2", "eps", "weight_decay")
    remembers = ("step", "mean", "squares")

    def __init__(self, params: Iterable[Tensor], lr: float = 0.001, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0.0) -> None:  # fmt: skip
        self.beta1, self.beta2 = betas
        self.eps = eps
        for name, beta in (("beta1", self.beta1), ("beta2", self.beta2)):
            if not 0 <= beta < 1:
                raise ValueError(f"{type(self).__name__}: {name} must be at least 0 and below 1, and it is {beta}")
        super().__init__(params, lr, weight_decay)

    def change(self, p: Array, g: Array, memory: dict[str, Any]) -> Array:
        t = memory["step"] = memory.get("step", 0) + 1
        m = _running_mean("mean", memory, g, self.beta1)
        s = _running_mean("squares", memory, g * g, self.beta2)
        size = self.lr / (1 - self.beta1**t)
        return size * m / (xp(s).sqrt(s) / (1 - self.beta2**t) ** 0.5 + self.eps)


class AdamW(Adam):
    """Adam, and beside it p := p - lr weight_decay p, which Adam's division leaves alone (Loshchilov & Hutter 2019)."""

    def __init__(self, params: Iterable[Tensor], lr: float = 0.001, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0.01) -> None:  # fmt: skip
        super().__init__(params, lr, betas, eps, weight_decay)

    def decayed(self, p: Array, g: Array) -> Array:
        return g

    def change(self, p: Array, g: Array, memory: dict[str, Any]) -> Array:
        return self.lr * self.weight_decay * p + super().change(p, g, memory)


def _running_mean(name: str, memory: dict[str, Any], value: Array, decay: float) -> Array:
    """The mean remembered as `name`, with `value` taken in at weight 1 - decay."""
    mean = kept(name, memory, value)
    mean *= decay
    mean += (1 - decay) * value
    return mean
