"""Depth inside the step: a recurrence whose transition is a network of several layers, with and without a way past."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import ops
from .. import init
from ..cells import Cell
from ..layers import Generator, parameter
from ..recurrent import Recurrent


class DeepTransitionCell(Cell):
    """A recurrence with layers inside: `h = cell(x, h)`, with x (B, D) and h (B, H).

        u = x W_xh, then for each further layer of the input  u = tanh(u + b_u[j]) W_u[j]
        a = tanh(u + h W_hh + b_h), then for each further layer of the transition  a = tanh(a W_a[k] + b_a[k])

    and the last a is the new h: `input_depth` and `transition_depth` layers, all of width H. With `skip`, the last
    layer of the transition hears the old state too, h W_skip, so that one product leads from step to step, however
    deep the transition. Goodfellow, Bengio and Courville ("Deep Learning", 2016, figure 10.13 b and c); R. Pascanu,
    C. Gulcehre, K. Cho and Y. Bengio ("How to Construct Deep Recurrent Neural Networks", 2014, section 3.2). Raises
    ValueError where there is no layer, or nothing to skip.
    """

    def __init__(self, input_size: int, hidden_size: int, transition_depth: int = 2, input_depth: int = 1,
                 skip: bool = False, *, dtype: Any = np.float32, device: str | None = None, rng: Generator = None,
                 name: str | None = None) -> None:  # fmt: skip
        if min(transition_depth, input_depth) < 1:
            raise ValueError(f"DeepTransitionCell: depths must be at least 1, not {transition_depth} and {input_depth}")
        if skip and transition_depth == 1:
            raise ValueError("DeepTransitionCell: a transition of one layer leaves nothing to skip: transition_depth=2")
        draw = np.random.default_rng(rng)
        super().__init__(input_size, hidden_size, dtype=dtype, device=device, rng=draw, name=name)
        self.transition_depth, self.input_depth, self.skip = transition_depth, input_depth, skip
        H = hidden_size

        def weights(name: str, count: int) -> list[Any]:
            bound = 1 / math.sqrt(H)
            return [parameter(init.uniform((H, H), draw, bound, dtype), f"{name}{k + 1}", device) for k in range(count)]

        def biases(name: str, count: int) -> list[Any]:
            return [parameter(init.zeros((H,), dtype), f"{name}{k + 1}", device) for k in range(count)]

        self.W_u, self.b_u = weights("W_u", input_depth - 1), biases("b_u", input_depth - 1)
        self.W_a, self.b_a = weights("W_a", transition_depth - 1), biases("b_a", transition_depth - 1)
        self.W_skip = weights("W_skip", 1)[0] if skip else None

    def forward(self, x: Any, h: Any) -> Any:
        u = x @ self.W_xh
        for W, b in zip(self.W_u, self.b_u, strict=True):
            u = ops.tanh(u + b) @ W
        a = ops.tanh(u + h @ self.W_hh + self.b_h)
        for k, (W, b) in enumerate(zip(self.W_a, self.b_a, strict=True), 2):
            a = a @ W + b
            if self.skip and k == self.transition_depth:
                a = a + h @ self.W_skip
            a = ops.tanh(a)
        return a.named("h")

    def describe(self) -> str:
        depths = [f"transition_depth={self.transition_depth}"] * (self.transition_depth != 2)
        depths += [f"input_depth={self.input_depth}"] * (self.input_depth != 1) + ["skip=True"] * self.skip
        return ", ".join([super().describe(), *depths])


class DeepRNN(Recurrent):
    """A layer of deep transitions: `outputs, h = layer(x)`, x (T, B, D), outputs (T, B, H), h (B, H).

    `DeepTransitionCell` has the equations and the options, `transition_depth`, `input_depth` and `skip`; deep outputs
    are an `nn.MLP` as the head of a wiring. The third form of depth is `nn.RNN(..., num_layers=...)`, stacked.

    >>> layer = DeepRNN(3, 5, transition_depth=3, skip=True, rng=0)
    >>> outputs, h = layer(np.ones((7, 2, 3), np.float32))
    >>> outputs.shape, sorted(name.split(".")[-1] for name, p in layer.named_parameters() if p.shape == (5, 5))
    ((7, 2, 5), ['0', '1', 'W_hh', 'W_skip'])
    """

    cell = DeepTransitionCell
