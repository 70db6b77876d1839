"""Layers for images x (B, C, H, W): Conv2d, MaxPool2d, and Flatten on the way to a Linear."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import ops
from ..core import Tensor
from ..ops.convolution import Pair, pair
from . import init
from .layers import Generator, parameter
from .module import Module, told


class Conv2d(Module):
    """y = conv2d(x, W) + b: x (B, in_channels, H, W), y (B, out_channels, H', W'), with H' = (H + 2 padding - kernel)
    // stride + 1.

    `W (out_channels, in_channels, kh, kw)` starts uniform within 1/sqrt(in_channels kh kw), `b (out_channels,)` at
    zero. Sizes are a number or a pair (down, across); padding="same" keeps H and W (for odd kernels, stride 1). Raises
    ValueError for "same" with others, and for images of other channels or smaller than the kernel.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Pair, stride: Pair = 1,
                 padding: Pair | str = 0, bias: bool = True, *, dtype: Any = np.float32, device: str | None = None,
                 rng: Generator = None, name: str = "conv") -> None:  # fmt: skip
        self.name, self.in_channels, self.out_channels = name, in_channels, out_channels
        self.kernel_size, self.stride = pair(kernel_size), pair(stride)
        if isinstance(padding, str):
            if padding != "same" or self.stride != (1, 1) or not all(k % 2 for k in self.kernel_size):
                raise ValueError(f"Conv2d: padding={padding!r} with kernel {self.kernel_size} and stride {self.stride}:"
                                 ' "same" needs odd kernels and stride 1; else give a number')  # fmt: skip
            padding = self.kernel_size[0] // 2, self.kernel_size[1] // 2
        self.padding = pair(padding)
        window = (in_channels, *self.kernel_size)
        bound = 1 / math.sqrt(math.prod(window))
        self.W = parameter(init.uniform((out_channels, *window), np.random.default_rng(rng), bound, dtype), "W", device)
        self.b = parameter(init.zeros((out_channels,), dtype), "b", device) if bias else None

    def forward(self, x: Any) -> Tensor:
        if len(getattr(x, "shape", ())) != 4 or x.shape[1] != self.in_channels:
            raise ValueError(f"Conv2d({self.describe()}) takes x (B, {self.in_channels}, H, W), not {told(x)}")
        y: Tensor = ops.conv2d(x, self.W, self.stride, self.padding)
        return y if self.b is None else y + ops.reshape(self.b, (-1, 1, 1))

    def describe(self) -> str:
        said = f"{self.in_channels}, {self.out_channels}, {_short(self.kernel_size)}"
        said += f", stride={_short(self.stride)}" if self.stride != (1, 1) else ""
        return said + (f", padding={_short(self.padding)}" if self.padding != (0, 0) else "")


class MaxPool2d(Module):
    """The largest number of each window of `size`, windows `stride` apart (by default side by side)."""

    def __init__(self, size: Pair, stride: Pair | None = None, name: str = "pool") -> None:
        self.name, self.size, self.stride = name, pair(size), pair(size if stride is None else stride)

    def forward(self, x: Any) -> Any:
        return ops.max_pool2d(x, self.size, self.stride)

    def describe(self) -> str:
        return _short(self.size) + (f", stride={_short(self.stride)}" if self.stride != self.size else "")


class Flatten(Module):
    """x (B, ...) as one row a sample: y (B, F)."""

    def forward(self, x: Any) -> Any:
        return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


def _short(value: tuple[int, int]) -> str:
    return str(value[0]) if value[0] == value[1] else str(value)
