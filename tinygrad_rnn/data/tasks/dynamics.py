"""Series that equations make: chaotic, driven and periodic ones, for prediction and for reservoirs.

Each is float64 with time first. `rng` is a generator, a seed, or None where a standard start is meant.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Rng = np.random.Generator | int | None


def mackey_glass(length: int, tau: float = 17, rng: Rng = None, dt: float = 0.1, warmup: int = 1000) -> np.ndarray:
    """The Mackey-Glass series (length,), sampled once a time unit: y' = 0.2 y(t - tau) / (1 + y(t - tau)^10) - 0.1 y.

    `tau=17` is mildly chaotic, 30 wildly, and below about 16.8 it is periodic. The past before time 0 is constant: 1.2,
    or with `rng` a number between 1.1 and 1.3, so that seeds give different stretches; the first `warmup` time units
    are left out. The trapezoidal rule with step `dt`, of order 2, needs the delayed value at grid points only and, y'
    being linear in y, has nothing to solve. From M. Mackey and L. Glass ("Oscillation and chaos in physiological
    control systems", Science 1977, equation 4b); as a benchmark, H. Jaeger and H. Haas ("Harnessing nonlinearity",
    Science 2004). Raises ValueError unless length >= 1, and dt divides both tau and 1.

    >>> y = mackey_glass(500)
    >>> y.shape, bool(y.min() > 0.2), bool(y.max() < 1.4)
    ((500,), True, True)
    """
    delay, per_unit = round(tau / dt), round(1 / dt)
    if length < 1 or warmup < 0:
        raise ValueError(f"mackey_glass: needs length >= 1 and warmup >= 0, not {length} and {warmup}")
    if delay < 1 or abs(delay * dt - tau) > 1e-9 or abs(per_unit * dt - 1) > 1e-9:
        raise ValueError(f"mackey_glass: dt must divide both tau = {tau} and 1, the time between samples, and {dt} "
                         "does not: try 0.1")  # fmt: skip
    y = [1.2 if rng is None else float(np.random.default_rng(rng).uniform(1.1, 1.3))] * (delay + 1)
    gain = [0.2 * y[0] / (1 + y[0] ** 10)]  # the delayed term, by grid point, one step ahead of its use
    half = 0.05 * dt
    for n in range((warmup + length - 1) * per_unit):
        gain.append(0.2 * y[n + 1] / (1 + y[n + 1] ** 10))
        y.append(((1 - half) * y[-1] + dt / 2 * (gain[-2] + gain[-1])) / (1 + half))
    return np.array(y[delay + warmup * per_unit :: per_unit])


def lorenz(length: int, rng: Rng = None, dt: float = 0.02, warmup: int = 1000, steps: int = 4) -> np.ndarray:
    """The Lorenz system x' = 10 (y - x), y' = x (28 - z) - y, z' = x y - 8/3 z, sampled every `dt`: (length, 3).

    It starts at (1, 1, 1), or with `rng` at a random place near it; the first `warmup` samples are left out. `steps`
    steps of the classical Runge-Kutta method, of order 4, lie between two samples. From E. Lorenz ("Deterministic
    nonperiodic flow", J. Atmospheric Sciences 1963, equations 25-27). Raises ValueError unless length >= 1.

    >>> lorenz(100).shape
    (100, 3)
    """
    if length < 1 or warmup < 0 or steps < 1:
        raise ValueError(f"lorenz: needs length >= 1, warmup >= 0 and steps >= 1, not {length}, {warmup} and {steps}")

    def f(x: float, y: float, z: float) -> tuple[float, float, float]:
        return 10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z

    def moved(p: tuple[float, ...], k: tuple[float, ...], h: float) -> tuple[float, ...]:
        return tuple(a + h * b for a, b in zip(p, k, strict=True))

    h = dt / steps
    p: tuple[float, ...] = (1.0, 1.0, 1.0)
    if rng is not None:
        p = tuple(np.random.default_rng(rng).uniform(0.5, 1.5, 3).tolist())
    path = [p]
    for _ in range(warmup + length - 1):
        for _ in range(steps):
            k1 = f(*p)
            k2 = f(*moved(p, k1, h / 2))
            k3 = f(*moved(p, k2, h / 2))
            k4 = f(*moved(p, k3, h))
            slopes = tuple(a + 2 * b + 2 * c + d for a, b, c, d in zip(k1, k2, k3, k4, strict=True))
            p = moved(p, slopes, h / 6)
        path.append(p)
    return np.array(path[warmup:])


def narma10(length: int, rng: np.random.Generator | int) -> tuple[np.ndarray, np.ndarray]:
    """A nonlinear moving average of order 10: inputs u (length,), uniform in [0, 0.5], and what becomes of them,

        y(t+1) = 0.3 y(t) + 0.05 y(t) (y(t) + ... + y(t-9)) + 1.5 u(t-9) u(t) + 0.1,

    as y (length,) with y[t] in the place of y(t+1): the last input that it depends on is u[t]. Of draws of 10 000 steps
    one in twenty runs away to infinity, as the equation can; those are drawn again. From A. Atiya and A. Parlos ("New
    results on recurrent network training", IEEE Trans. Neural Networks 2000, section V). Raises ValueError unless
    length >= 1.

    >>> u, y = narma10(200, 0)
    >>> u.shape, y.shape, bool(y.max() < 1.5)
    ((200,), (200,), True)
    """
    if length < 1:
        raise ValueError(f"narma10: needs length >= 1, not {length}")
    draw = np.random.default_rng(rng)
    while True:
        u = draw.uniform(0, 0.5, length)
        before, y = [0.0] * 9 + u.tolist(), [0.0] * 10  # nothing came in and nothing went out before time 0
        for t in range(length):
            y.append(0.3 * y[-1] + 0.05 * y[-1] * sum(y[-10:]) + 1.5 * before[t] * before[t + 9] + 0.1)
            if y[-1] > 10:  # on the way to infinity; those that stay are below 1.2
                break
        else:
            return u, np.array(y[10:])


def multi_sine(length: int, frequencies: Sequence[float] = (0.2, 0.311), rng: Rng = None,
               noise: float = 0.0) -> np.ndarray:  # fmt: skip
    """A sum of sines (length,): sin(0.2 t) + sin(0.311 t) by default, a series that repeats after 6.3 thousand steps.

    `frequencies` are in radians a step. With `rng`, each sine has a random phase, and `noise` is the standard deviation
    of what is added to each step. The two frequencies are those of the multiple superimposed oscillator (H. Jaeger,
    seminar slides on reservoir computing, 2004; J. Schmidhuber, D. Wierstra, M. Gagliolo and F. Gomez, "Training
    recurrent networks by Evolino", Neural Computation 2007, section 3.4). Raises ValueError unless length >= 1, or
    where there is noise and no rng.

    >>> multi_sine(3).round(4).tolist()
    [0.0, 0.5047, 0.9721]
    """
    if length < 1:
        raise ValueError(f"multi_sine: needs length >= 1, not {length}")
    if noise and rng is None:
        raise ValueError("multi_sine: noise is random: pass rng=, a generator or a seed")
    draw = np.random.default_rng(rng)
    phases = np.zeros(len(frequencies)) if rng is None else draw.uniform(0, 2 * np.pi, len(frequencies))
    y = np.sin(np.multiply.outer(np.arange(length), frequencies) + phases).sum(axis=1)
    return y + noise * draw.standard_normal(length) if noise else y
