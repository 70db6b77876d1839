"""DRAW's window on an image: a grid of Gaussian filters whose place, spread and brightness a network sets."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ... import ops
from ...backend import xp
from ...core import raw
from ..layers import Generator, Linear
from ..module import Module, told


def filterbank(centre: Any, stride: Any, sigma2: Any, N: int, size: int) -> Any:
    """F (B, N, size): N Gaussian filters in a row over an axis of `size` pixels, each with the sum 1.

    Filter i = 1 ... N stands at mu_i = centre + (i - N/2 - 1/2) stride and has the variance sigma2; pixels have the
    places 1 ... size; centre, stride and sigma2 are (B, 1) (Gregor et al. 2015, equations 19, 20, 25 and 26). The
    normalising sum is a softmax's, so that a filter far outside or very sharp is no 0 / 0: it reads the nearest pixel.

    >>> filterbank(np.array([[3.0]]), np.array([[1.0]]), np.array([[0.001]]), 2, 5).round(2).tolist()
    [[[0.0, 0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5, 0.0]]]
    """
    arange = xp(raw(centre)).arange
    mu = centre + stride * (arange(1, N + 1, dtype=centre.dtype) - (N + 1) / 2)
    distance = ops.expand_dims(mu, -1) - arange(1, size + 1, dtype=centre.dtype)
    return ops.softmax(-(distance * distance) / (2 * ops.expand_dims(sigma2, -1)))


class Window(NamedTuple):
    """Where a network looks: filters `F_x (B, N, width)`, `F_y (B, N, height)` and brightness `gamma (B, 1, 1)`;
    `x`, `y`, `stride` and `sigma2`, each (B, 1), say it in pixels, counted from 1, for pictures."""

    F_x: Any
    F_y: Any
    gamma: Any
    x: Any
    y: Any
    stride: Any
    sigma2: Any

    def read(self, image: Any) -> Any:
        """gamma F_y image F_x^T, (B, N, N), of images (B, height, width): equation 27, for one image."""
        return self.gamma * (self.F_y @ image @ ops.transpose(self.F_x, (0, 2, 1)))

    def write(self, patch: Any) -> Any:
        """F_y^T patch F_x / gamma, (B, height, width), of patches (B, N, N): equation 29."""
        return ops.transpose(self.F_y, (0, 2, 1)) @ patch @ self.F_x / self.gamma


class AttentionWindow(Module):
    """`window = attend(h)`: a state h (B, H) sets a grid of N x N filters on images (B, height, width).

    (x, y, log sigma2, log stride, log gamma) = h @ W + b, with x and y from -1 to 1 over the image and the stride 1
    spreading the grid over all of it (Gregor et al. 2015, equations 21 to 24). W starts small, so that the first window
    is the whole image, a little blurred. Raises ValueError where N is not from 1 to the image's larger side.
    """

    def __init__(self, hidden_size: int, height: int, width: int, N: int, *, dtype: Any = np.float32,
                 device: str | None = None, rng: Generator = None, name: str = "window") -> None:  # fmt: skip
        if not 1 <= N <= max(height, width):
            raise ValueError(f"AttentionWindow: N is the side of the grid of filters, from 1 to {max(height, width)} "
                             f"for images of {height} x {width}, not {N}")  # fmt: skip
        self.name, self.hidden_size, self.height, self.width, self.N = name, hidden_size, height, width, N
        self.place = Linear(hidden_size, 5, dtype=dtype, device=device, rng=rng)

    def forward(self, h: Any) -> Window:
        x, y, log_sigma2, log_stride, log_gamma = ops.split(self.place(h), 5, axis=-1)
        x, y = (self.width + 1) / 2 * (x + 1), (self.height + 1) / 2 * (y + 1)
        stride = (max(self.height, self.width) - 1) / max(1, self.N - 1) * ops.exp(log_stride)
        return self.at(x, y, stride, ops.exp(log_sigma2), ops.exp(log_gamma))

    def at(self, x: Any, y: Any, stride: Any, sigma2: Any, gamma: Any) -> Window:
        """The window at a place that is given, each (B, 1), in pixels."""
        F_x = filterbank(x, stride, sigma2, self.N, self.width)
        F_y = filterbank(y, stride, sigma2, self.N, self.height)
        return Window(F_x, F_y, ops.expand_dims(gamma, -1), x, y, stride, sigma2)

    def describe(self) -> str:
        return f"{self.hidden_size}, {self.height}, {self.width}, {self.N}"


def images(x: Any, height: int, width: int, who: str) -> Any:
    """x, if it is images (B, height, width). Raises ValueError otherwise."""
    if tuple(getattr(x, "shape", ()))[1:] != (height, width) or len(x.shape) != 3:
        raise ValueError(f"{who} takes images (B, {height}, {width}), not {told(x)}")
    return x
