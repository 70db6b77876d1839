"""The residual block: what it learns is added to what it was given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .module import Module, told


class Residual(Module):
    """y = x + body(x) (He et al. 2016, equation 1): the derivative is I + that of the body, so depth alone does not
    make it vanish.

    `body` is a module or function that keeps the shape, x (B, ...). Raises ValueError where it does not, which
    broadcasting might hide.
    """

    def __init__(self, body: Callable[[Any], Any], name: str = "residual") -> None:
        self.name, self.body = name, body

    def forward(self, x: Any) -> Any:
        y = self.body(x)
        if y.shape != x.shape:
            raise ValueError(f"Residual adds what its body gives to x, which need one shape: x is {told(x)}, the body "
                             f"gives {tuple(y.shape)}: keep the sizes, or change x before the block")  # fmt: skip
        return x + y
