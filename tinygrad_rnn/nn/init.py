"""Where learning starts: initial weights, as NumPy arrays, drawn from a `numpy.random.Generator` that is passed in.

Shapes are `(fan_in, fan_out)`, as weights are here: `x (B, fan_in) @ W`. Each takes `dtype=`, float32 by default.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Shape = tuple[int, ...]


def zeros(shape: Shape, dtype: Any = np.float32) -> np.ndarray:
    """All zero: for biases; for weights it leaves every unit the same."""
    return np.zeros(shape, dtype)


def uniform(shape: Shape, rng: np.random.Generator, bound: float | None = None, dtype: Any = np.float32) -> np.ndarray:
    """Uniform in [-bound, bound], by default 1/sqrt(fan_in).

    PyTorch's recurrent layers draw all their weights with the bound 1/sqrt(hidden_size).
    """
    bound = 1 / math.sqrt(max(1, shape[0])) if bound is None else bound
    return rng.uniform(-bound, bound, shape).astype(dtype)


def normal(shape: Shape, rng: np.random.Generator, std: float = 1.0, dtype: Any = np.float32) -> np.ndarray:
    """Gaussian with mean 0 and standard deviation `std`."""
    return (std * rng.standard_normal(shape)).astype(dtype)


def xavier_uniform(shape: Shape, rng: np.random.Generator, gain: float = 1.0, dtype: Any = np.float32) -> np.ndarray:
    """Uniform with variance gain^2 * 2 / (fan_in + fan_out) (Glorot & Bengio 2010, equation 16)."""
    return uniform(shape, rng, gain * math.sqrt(6 / (shape[0] + shape[-1])), dtype)


def xavier_normal(shape: Shape, rng: np.random.Generator, gain: float = 1.0, dtype: Any = np.float32) -> np.ndarray:
    """Gaussian with variance gain^2 * 2 / (fan_in + fan_out) (Glorot & Bengio 2010, equation 12)."""
    return normal(shape, rng, gain * math.sqrt(2 / (shape[0] + shape[-1])), dtype)


def kaiming_normal(shape: Shape, rng: np.random.Generator, dtype: Any = np.float32) -> np.ndarray:
    """Gaussian with variance 2 / fan_in, which keeps the scale of what passes relu (He et al. 2015, equation 10)."""
    return normal(shape, rng, math.sqrt(2 / max(1, shape[0])), dtype)


def kaiming_uniform(shape: Shape, rng: np.random.Generator, dtype: Any = np.float32) -> np.ndarray:
    """Uniform with variance 2 / fan_in (He et al. 2015, equation 10)."""
    return uniform(shape, rng, math.sqrt(6 / max(1, shape[0])), dtype)


def orthogonal(shape: Shape, rng: np.random.Generator, gain: float = 1.0, dtype: Any = np.float32) -> np.ndarray:
    """`gain` times a matrix with orthonormal rows or columns, whichever are fewer, drawn uniformly from all of those
    (Saxe et al. 2014; the sign correction makes it uniform: Mezzadri 2007, section 5)."""
    rows, columns = shape
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    signs = np.diagonal(r) >= 0
    q = q * np.where(signs, 1.0, -1.0)
    return np.ascontiguousarray(gain * (q if rows >= columns else q.T), dtype)


def identity(shape: Shape, gain: float = 1.0, dtype: Any = np.float32) -> np.ndarray:
    """`gain` times the identity: a relu network that starts by remembering (IRNN: Le, Jaitly & Hinton 2015)."""
    return gain * np.eye(*shape, dtype=dtype)


def sparse(shape: Shape, rng: np.random.Generator, fan_in: int = 15, std: float = 1.0,
           dtype: Any = np.float32) -> np.ndarray:  # fmt: skip
    """Each unit (column) listens to `fan_in` others, or to all where there are fewer, with Gaussian weights, and not to
    the rest (15 connections of unit variance: Martens 2010, section 5; Martens & Sutskever 2011)."""
    rows, columns = shape
    W = np.zeros(shape, dtype)
    for j in range(columns):
        heard = rng.choice(rows, min(fan_in, rows), replace=False)
        W[heard, j] = std * rng.standard_normal(len(heard))
    return W


def spectral_radius(W: np.ndarray, rho: float) -> np.ndarray:
    """A square W scaled so that the largest absolute value of its eigenvalues is `rho` (echo state networks: Jaeger
    2001; Sutskever et al. 2013 start from 1.1).

    Raises ValueError where W is not square or has no eigenvalue but 0, which no scale changes.

    >>> spectral_radius(np.array([[0.0, 2.0], [2.0, 0.0]]), 1.5)
    array([[0. , 1.5],
           [1.5, 0. ]])
    """
    if W.ndim != 2 or W.shape[0] != W.shape[1]:
        raise ValueError(f"spectral_radius: W {W.shape} is not square, so it has no eigenvalues: pass W_hh")
    radius = float(np.abs(np.linalg.eigvals(W.astype(np.float64))).max())
    if radius == 0:
        raise ValueError("spectral_radius: all eigenvalues of W are 0, and scaling leaves them so: draw another W")
    return (W * (rho / radius)).astype(W.dtype)


def chrono(hidden_size: int, T_max: float, rng: np.random.Generator, dtype: Any = np.float32) -> np.ndarray:
    """Biases (H,) of a forget gate for memories between 1 and T_max steps: log U[1, T_max - 1]; those of the input gate
    are their negatives (Tallec & Ollivier 2018, equation 16).

    A gate at sigma(b) forgets 1/(1 + exp(b)) of its cell in a step, so a bias of log(T - 1) remembers for about T of
    them. Raises ValueError where T_max is below 2.

    >>> bias = chrono(1000, 50, np.random.default_rng(0))
    >>> horizon = 1 + np.exp(bias)
    >>> bool(2 <= horizon.min() < 3 and 49 < horizon.max() <= 50)
    True
    """
    if not 2 <= T_max < math.inf:
        raise ValueError(f"chrono: T_max is the longest memory in steps, at least 2 and finite, not {T_max}")
    return np.log(rng.uniform(1, T_max - 1, hidden_size)).astype(dtype)


def per_gate(draw: Callable[..., np.ndarray], shape: Shape, gates: int, *args: Any, **kwargs: Any) -> np.ndarray:
    """`gates` draws of one `shape (n, H)`, side by side in `(n, gates * H)`: each gate has its own orthogonal matrix,
    or its own fans.

    >>> rng = np.random.default_rng(0)
    >>> per_gate(orthogonal, (8, 8), 4, rng).shape
    (8, 32)
    """
    return np.concatenate([draw(shape, *args, **kwargs) for _ in range(gates)], axis=1)
