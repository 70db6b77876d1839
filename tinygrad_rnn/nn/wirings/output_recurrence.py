"""Recurrence from the output alone: weaker, and with teacher forcing no recurrence at all while it learns."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import backend, ops
from ...core import Tensor, raw
from ...recording import step, watched_closely
from .. import init
from ..layers import Generator, parameter
from ..module import Module, told


class OutputRecurrence(Module):
    """`outputs = model(x, targets=None)` for x (T, B, D) and outputs (T, B, C):

        h_t = tanh(x_t W_xh + fed_t W_yh + b_h),    y_t = h_t W_hy + b_y.

    The second pattern of Goodfellow, Bengio and Courville ("Deep Learning", 2016, figure 10.4): what comes back is the
    output and nothing else, so the network knows of the past only what its outputs say. Free running, without targets,
    fed_t = feed(y_{t-1}), `feed` being the identity by default (`tg.softmax` for classes). With targets (T, B, C), or
    integers (T, B) that stand for one-hot vectors, it is taught by force (figure 10.6): fed_t is the target of the step
    before, no step waits for another, and all are computed at once. Before the first step, `start` (B, C), by default
    zeros, is fed. Weights start uniform within 1/sqrt(H), biases at zero. Raises ValueError where shapes do not fit.
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int, feed: Callable[[Any], Any] = lambda y: y, *,
                 dtype: Any = np.float32, device: str | None = None, rng: Generator = None,
                 name: str = "output recurrence") -> None:  # fmt: skip
        self.name, self.feed = name, feed
        self.input_size, self.hidden_size, self.output_size = input_size, hidden_size, output_size
        draw, bound = np.random.default_rng(rng), 1 / math.sqrt(hidden_size)

        def weight(rows: int, columns: int, name: str) -> Tensor:
            return parameter(init.uniform((rows, columns), draw, bound, dtype), name, device)

        self.W_xh = weight(input_size, hidden_size, "W_xh")
        self.W_yh = weight(output_size, hidden_size, "W_yh")
        self.b_h = parameter(init.zeros((hidden_size,), dtype), "b_h", device)
        self.W_hy = weight(hidden_size, output_size, "W_hy")
        self.b_y = parameter(init.zeros((output_size,), dtype), "b_y", device)

    def output(self, x: Any, fed: Any) -> Any:
        """y (..., C) of x (..., D) and what is fed back (..., C): one step, or all at once where nothing is waited
        for."""
        h = ops.tanh(x @ self.W_xh + fed @ self.W_yh + self.b_h).named("h")
        return (h @ self.W_hy + self.b_y).named("y")

    def forward(self, x: Any, targets: Any = None, start: Any = None, offset: int = 0) -> Any:
        shape = tuple(getattr(x, "shape", ()))
        if len(shape) != 3 or shape[2] != self.input_size or shape[0] == 0:
            raise ValueError(f"OutputRecurrence({self.describe()}) takes x (T, B, {self.input_size}), time first, not "
                             f"{told(x)}")  # fmt: skip
        if start is None:
            W = self.W_hy.data
            start = Tensor(backend.xp(W).zeros((shape[1], self.output_size), W.dtype))
        taught = None if targets is None else self._taught(targets, start, shape)
        if taught is not None and not watched_closely():
            return self.output(x, taught)
        outputs, fed = [], start
        for t, x_t in enumerate(ops.unstack(x), offset):
            with step(t):
                fed = fed if taught is None else taught[t - offset]
                outputs.append(self.output(x_t, fed))
                if taught is None:
                    fed = self.feed(outputs[-1])
        return ops.stack(outputs)

    def _taught(self, targets: Any, start: Any, shape: tuple[int, ...]) -> Any:
        """What is fed in each step where a teacher knows the outputs: (T, B, C)."""
        if getattr(targets, "ndim", 0) == 2 and targets.dtype.kind in "iu":
            targets = ops.one_hot(backend.to_device(raw(targets), self.W_hy.device), self.output_size, self.W_hy.dtype)
        if tuple(getattr(targets, "shape", ())) != (*shape[:2], self.output_size):
            raise ValueError(f"OutputRecurrence: targets are {(*shape[:2], self.output_size)}, or integers "
                             f"{shape[:2]}, not {told(targets)}")  # fmt: skip
        return ops.concat([ops.expand_dims(start, 0), targets[:-1]], axis=0)

    def describe(self) -> str:
        return f"{self.input_size}, {self.hidden_size}, {self.output_size}"
