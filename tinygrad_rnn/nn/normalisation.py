"""BatchNorm: activations that keep their scale, whatever the layers below do."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..core import Tensor, raw, tensor
from ..ops.normalisation import feature_axes, per_feature
from .layers import parameter
from .module import Module, told


class BatchNorm(Module):
    """y = w (x - mean) / sqrt(variance + eps) + b for each feature: x (B, F), or (B, C, H, W) with channels as features
    (Ioffe & Szegedy 2015, algorithms 1 and 2).

    In training, mean and variance are those of the batch; the gradient knows that they depend on x. In evaluation they
    are `running_mean` and `running_var`, towards which each training batch moves by `momentum`; the layer is then an
    affine map with constants. `w` starts at one, `b` at zero. Raises ValueError for another shape, and in training for
    a batch with one number a feature, whose variance is 0.
    """

    buffers = ("running_mean", "running_var")

    def __init__(self, features: int, momentum: float = 0.1, eps: float = 1e-5, *, dtype: Any = np.float32,
                 device: str | None = None, name: str = "batch_norm") -> None:  # fmt: skip
        self.name, self.features, self.momentum, self.eps = name, features, momentum, eps
        self.w = parameter(np.ones(features, dtype), "w", device)
        self.b = parameter(np.zeros(features, dtype), "b", device)
        self.running_mean = tensor(np.zeros(features, dtype), device=device)
        self.running_var = tensor(np.ones(features, dtype), device=device)

    def forward(self, x: Any) -> Tensor:
        shape = tuple(getattr(x, "shape", ()))
        if len(shape) not in (2, 4) or shape[1] != self.features:
            raise ValueError(f"BatchNorm({self.describe()}) takes x (B, {self.features}) or (B, {self.features}, H, W),"
                             f" not {told(x)}")  # fmt: skip
        if self.training:
            self._follow(raw(x))
            return ops.batch_norm(x, self.w, self.b, self.eps)
        scale = self.w / ops.sqrt(self.running_var + self.eps)
        return (x - per_feature(self.running_mean, x)) * per_feature(scale, x) + per_feature(self.b, x)

    def _follow(self, x: Any) -> None:
        """Move the running statistics towards those of this batch; the variance without bias, as of a sample."""
        count = x.size // self.features
        if count < 2:
            raise ValueError(f"BatchNorm({self.describe()}) has {count} number a feature to train on, and no variance: "
                             "give more samples, or call .eval()")  # fmt: skip
        axes = feature_axes(x)
        for running, seen in ((self.running_mean, x.mean(axis=axes)),
                              (self.running_var, x.var(axis=axes) * (count / (count - 1)))):  # fmt: skip
            running.data = ((1 - self.momentum) * running.data + self.momentum * seen).astype(running.dtype)

    def describe(self) -> str:
        return f"{self.features}"
