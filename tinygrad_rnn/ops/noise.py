"""Operations with chance in them. The generator is passed in, so that runs repeat."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..core import raw
from ..primitives import primitive
from ..recording import state


def dropout(x: Any, p: float, rng: np.random.Generator, training: bool = True) -> Any:
    """x with each element dropped with probability p and the rest divided by 1 - p, so that nothing changes on average
    and nothing is to be done when not training (inverted dropout; Srivastava et al. 2014).

    Raises ValueError unless 0 <= p <= 1, TypeError where numbers are to be drawn and `rng` is no generator.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is the probability to drop, between 0 and 1, not {p}")
    return x if not training or p == 0 else _dropout(x, mask=dropout_mask(x, p, rng))


def dropout_mask(x: Any, p: float, rng: np.random.Generator) -> Any:
    """What dropout multiplies x by: 0, or 1 / (1 - p), of its shape and dtype and on its device."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError("dropout: rng must be a numpy.random.Generator, such as numpy.random.default_rng(0), not "
                        f"{rng!r}")  # fmt: skip
    keep = draw_uniform(rng, x.shape) >= p
    mask = keep.astype(x.dtype) * x.dtype.type(1 / (1 - p) if p < 1 else 0)
    return backend.to_device(mask, backend.of(raw(x)).device)


@primitive
def _dropout(x: Any, /, mask: Any) -> Any:
    return x * mask


@_dropout.vjp(0)
def _(g: Any, y: Any, x: Any, mask: Any) -> Any:
    return g * mask


def draw_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Uniform numbers in [0, 1). A checkpoint that is running notes the generator, to draw the same again."""
    draws = state.get().draws
    if draws is not None and rng not in draws:
        draws[rng] = rng.bit_generator.state
    return rng.random(shape)
