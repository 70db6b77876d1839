"""One thing after another: Sequential, and the MLP made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ops
from .layers import Generator, Linear
from .module import Module


class Sequential(Module):
    """Steps, each given what the one before it gave: modules, or functions such as `tg.relu`.

    `model[i]` is step i and `model[:i]` a Sequential of the first i, to look at what comes out there. As in PyTorch
    the parameters of step i are named `i.W` and so on.

    >>> model = Sequential(Linear(4, 3, rng=0), ops.tanh, Linear(3, 2, rng=0))
    >>> [name for name, _ in model.named_parameters()], model[:2](np.zeros((1, 4))).shape
    (['0.W', '0.b', '2.W', '2.b'], (1, 3))
    """

    def __init__(self, *steps: Callable[[Any], Any], name: str | None = None) -> None:
        self.name = name
        for i, step in enumerate(steps):
            setattr(self, str(i), step)

    @property
    def steps(self) -> list[Callable[[Any], Any]]:
        return [step for name, step in vars(self).items() if name.isdecimal()]

    def forward(self, x: Any) -> Any:
        for step in self.steps:
            x = step(x)
        return x

    def __getitem__(self, i: Any) -> Any:
        return Sequential(*self.steps[i]) if isinstance(i, slice) else self.steps[i]

    def __len__(self) -> int:
        return len(self.steps)


class MLP(Sequential):
    """Linear layers of `sizes`, with `activation` between them: x (..., sizes[0]), y (..., sizes[-1])."""

    def __init__(self, sizes: Sequence[int], activation: Callable[[Any], Any] = ops.relu, *, dtype: Any = np.float32,
                 device: str | None = None, rng: Generator = None, name: str | None = "mlp") -> None:  # fmt: skip
        if len(sizes) < 2:
            raise ValueError(f"MLP: sizes are those of the input, of hidden layers and of the output, not {sizes}")
        draw = np.random.default_rng(rng)
        steps: list[Any] = []
        for i in range(len(sizes) - 1):
            steps += [activation] if i else []
            steps += [Linear(sizes[i], sizes[i + 1], dtype=dtype, device=device, rng=draw, name=f"layer{i + 1}")]
        super().__init__(*steps, name=name)
