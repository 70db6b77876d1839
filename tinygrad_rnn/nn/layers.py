"""Layers without a memory: Linear, Embedding, Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..core import Tensor, tensor
from ..recording import watched_closely
from . import init
from .module import Module, told

Generator = np.random.Generator | int | None  # what a seed may be; None draws a fresh one each time


def parameter(array: np.ndarray, name: str, device: str | None = None) -> Tensor:
    """A leaf to be learned, called `name` in pictures and errors."""
    return tensor(array, requires_grad=True, device=device, name=name)


class Linear(Module):
    """y = x @ W + b, for x (..., in_features) and y (..., out_features).

    `W (in_features, out_features)` starts uniform within 1/sqrt(in_features), `b (out_features,)` at zero.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *, dtype: Any = np.float32,
                 device: str | None = None, rng: Generator = None, name: str = "linear") -> None:  # fmt: skip
        self.name, self.in_features, self.out_features = name, in_features, out_features
        draw = np.random.default_rng(rng)
        self.W = parameter(init.uniform((in_features, out_features), draw, dtype=dtype), "W", device)
        self.b = parameter(init.zeros((out_features,), dtype), "b", device) if bias else None

    def forward(self, x: Any) -> Tensor:
        if getattr(x, "shape", ())[-1:] != (self.in_features,):
            raise ValueError(f"Linear({self.describe()}) takes x (..., {self.in_features}), not {told(x)}")
        if self.b is not None and len(x.shape) > 2 and not watched_closely():
            return ops.affine(x, self.W, self.b)  # a whole sequence: the sum in the product's place
        y: Tensor = x @ self.W
        return y if self.b is None else y + self.b

    def describe(self) -> str:
        return f"{self.in_features}, {self.out_features}" + ("" if self.b is not None else ", bias=False")


class Embedding(Module):
    """Row `indices[...]` of a table, for integer indices (...) below `num` and y (..., dim): a one-hot times `W (num,
    dim)` without the product. W starts Gaussian with variance 1."""

    def __init__(self, num: int, dim: int, *, dtype: Any = np.float32, device: str | None = None, rng: Generator = None,
                 name: str = "embedding") -> None:  # fmt: skip
        self.name, self.num, self.dim = name, num, dim
        self.W = parameter(init.normal((num, dim), np.random.default_rng(rng), dtype=dtype), "W", device)

    def forward(self, indices: Any) -> Any:
        return ops.take(self.W, indices)

    def describe(self) -> str:
        return f"{self.num}, {self.dim}"


class Dropout(Module):
    """In training, x with each element dropped with probability p and the others divided by 1 - p; else x itself."""

    def __init__(self, p: float, rng: Generator = None, name: str = "dropout") -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is the probability to drop, between 0 and 1, not {p}")
        self.name, self.p, self.rng = name, p, np.random.default_rng(rng)

    def forward(self, x: Any) -> Any:
        return ops.dropout(x, self.p, self.rng, self.training)

    def describe(self) -> str:
        return f"{self.p}"
