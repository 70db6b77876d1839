"""Highway networks: a gate in each layer says how much of it is new and how much is carried on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..core import Tensor
from . import init
from .layers import Generator, Linear, parameter
from .module import Module, told
from .sequential import Sequential


class HighwayLayer(Module):
    """y = g H(x) + (1 - g) x with H(x) = activation(x @ W_H + b_H) and the gate g = sigmoid(x @ W_T + b_T), all
    (B, size) (Srivastava, Greff & Schmidhuber 2015, equation 3; the gate's T is for transform).

    `b_T` starts at `gate_bias`, below zero: a layer that has learned nothing yet carries x on, so that a deep network
    starts as a shallow one. Weights start as those of Linear.
    """

    def __init__(self, size: int, activation: Callable[[Any], Any] = ops.tanh, gate_bias: float = -2.0, *,
                 dtype: Any = np.float32, device: str | None = None, rng: Generator = None,
                 name: str = "highway") -> None:  # fmt: skip
        self.name, self.size, self.activation = name, size, activation
        draw = np.random.default_rng(rng)
        self.W_H = parameter(init.uniform((size, size), draw, dtype=dtype), "W_H", device)
        self.b_H = parameter(init.zeros((size,), dtype), "b_H", device)
        self.W_T = parameter(init.uniform((size, size), draw, dtype=dtype), "W_T", device)
        self.b_T = parameter(np.full(size, gate_bias, dtype), "b_T", device)

    def forward(self, x: Any) -> Tensor:
        if getattr(x, "shape", ())[-1:] != (self.size,):
            raise ValueError(f"HighwayLayer({self.size}) takes x (..., {self.size}), to carry it on, not {told(x)}")
        g = ops.sigmoid(x @ self.W_T + self.b_T)
        y: Tensor = g * self.activation(x @ self.W_H + self.b_H) + (1 - g) * x
        return y

    def describe(self) -> str:
        return f"{self.size}"


class Highway(Sequential):
    """A Linear from the input to `size`, `depth` HighwayLayers, and a Linear to the output."""

    def __init__(self, in_features: int, size: int, out_features: int, depth: int,
                 activation: Callable[[Any], Any] = ops.tanh, gate_bias: float = -2.0, *, dtype: Any = np.float32,
                 device: str | None = None, rng: Generator = None, name: str | None = None) -> None:  # fmt: skip
        place: dict[str, Any] = {"dtype": dtype, "device": device, "rng": np.random.default_rng(rng)}
        layers = [HighwayLayer(size, activation, gate_bias, name=f"highway{i + 1}", **place) for i in range(depth)]
        super().__init__(Linear(in_features, size, name="entry", **place), *layers,
                         Linear(size, out_features, name="exit", **place), name=name)  # fmt: skip
