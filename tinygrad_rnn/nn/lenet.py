"""LeNet5, as lectures write it: two blocks of convolution, ReLU and max-pooling, and three Linear layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..core import Tensor
from .convolution import Conv2d, Flatten, MaxPool2d
from .layers import Generator, Linear
from .module import Module
from .sequential import Sequential


class LeNet5(Module):
    """Images (B, channels, 32, 32) to logits (B, n_categories).

    (B, 1, 32, 32) -> (B, 6, 14, 14) -> (B, 16, 5, 5) -> 400 -> 120 -> 84 -> 10, after LeCun et al. 1998, figure 2, with
    ReLU and max-pooling in place of tanh and averages, as in ELTE's Deep Network Development, lecture 9, whose names
    these are: `load_torch` takes the weights of the lecture's class.
    """

    def __init__(self, n_categories: int = 10, channels: int = 1, *, dtype: Any = np.float32,
                 device: str | None = None, rng: Generator = None, name: str | None = None) -> None:  # fmt: skip
        self.name = name
        place: dict[str, Any] = {"dtype": dtype, "device": device, "rng": np.random.default_rng(rng)}
        self.conv_block1 = Sequential(Conv2d(channels, 6, 5, **place), ops.relu, MaxPool2d(2), name="conv_block1")
        self.conv_block2 = Sequential(Conv2d(6, 16, 5, **place), ops.relu, MaxPool2d(2), name="conv_block2")
        self.flatten = Flatten()
        self.fc1 = Linear(400, 120, name="fc1", **place)
        self.fc2 = Linear(120, 84, name="fc2", **place)
        self.fc3 = Linear(84, n_categories, name="fc3", **place)

    def forward(self, x: Any) -> Tensor:
        if tuple(getattr(x, "shape", ()))[2:] != (32, 32):
            raise ValueError(f"LeNet5 takes images (B, C, 32, 32), not {getattr(x, 'shape', x)}: resize or pad them")
        y = self.flatten(self.conv_block2(self.conv_block1(x)))
        return self.fc3(ops.relu(self.fc2(ops.relu(self.fc1(y)))))
