"""Graves's soft window: which letters of a text a network looks at, as a mixture of bumps that slide along it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import ops
from ...backend import xp
from ...core import raw
from ..layers import Generator, Linear
from ..module import Module, told


def window_weights(alpha: Any, beta: Any, kappa: Any, length: int) -> Any:
    """phi (B, U), U = `length`: phi[u] = sum_k alpha_k exp(-beta_k (kappa_k - u)^2) for u = 1 ... U, with alpha
    (importance), beta (sharpness) and kappa (place) of shape (B, K): Graves 2013, equation 46.

    The weights are not normalised: a window may also look at nothing.
    """
    places = xp(raw(kappa)).arange(1, length + 1, dtype=kappa.dtype)
    distance = ops.expand_dims(kappa, -1) - places
    bumps = ops.exp(-ops.expand_dims(beta, -1) * (distance * distance))
    return ops.sum(ops.expand_dims(alpha, -1) * bumps, axis=-2)


class SoftWindow(Module):
    """`w, phi, kappa = window(h, kappa, text)`: what of a text (B, U, V), one-hot letters, a state h (B, H) reads.

    (alpha, beta, delta) = exp(h @ W + b); kappa := kappa + delta, so that the window only ever moves forwards;
    phi (B, U) as in `window_weights`; w (B, V) = sum_u phi[u] text[u] (Graves 2013, equations 46 to 51). kappa (B, K),
    K = `bumps`, starts at zero, before the first letter. Letters that are all zero (padding) are read as nothing.

    `pace` is how many letters a step kappa moves at the start of training, 1 in the paper's equations; about one over
    the number of steps that a letter takes spares the network to find that out.
    """

    def __init__(self, hidden_size: int, bumps: int = 10, pace: float = 1.0, *, dtype: Any = np.float32,
                 device: str | None = None, rng: Generator = None, name: str = "window") -> None:  # fmt: skip
        if bumps < 1 or not pace > 0:
            raise ValueError(f"SoftWindow: needs at least one bump and a positive pace, not {bumps} and {pace}")
        self.name, self.hidden_size, self.bumps, self.pace = name, hidden_size, bumps, pace
        self.projection = Linear(hidden_size, 3 * bumps, dtype=dtype, device=device, rng=rng)
        assert self.projection.b is not None
        self.projection.b.data[2 * bumps :] = math.log(pace)

    def forward(self, h: Any, kappa: Any, text: Any) -> tuple[Any, Any, Any]:
        if len(getattr(text, "shape", ())) != 3 or text.shape[0] != h.shape[0]:
            raise ValueError(f"SoftWindow: text is (B, U, V), a one-hot letter in each place, with the batch of "
                             f"{h.shape[0]} that h has, not {told(text)}")  # fmt: skip
        alpha, beta, delta = ops.split(ops.exp(self.projection(h)), 3, axis=-1)
        kappa = kappa + delta
        phi = window_weights(alpha, beta, kappa, text.shape[1])
        return ops.squeeze(ops.expand_dims(phi, 1) @ text, 1), phi, kappa

    def describe(self) -> str:
        return f"{self.hidden_size}, {self.bumps}"
