"""The inputs of lesson start's cases."""

import numpy as np


def _sizes(case):
    return {"tiny": (2, 1, 1), "square": (3, 3, 3)}.get(case, (2, 3, 4))  # B, D, H


def _small(rng, *shape):
    """Whole numbers, none of them zero, for paper."""
    return rng.integers(1, 4, shape) * rng.choice([-1.0, 1.0], shape)


def affine(rng, case):
    B, D, H = _sizes(case)
    draw = (lambda *shape: _small(rng, *shape)) if case == "tiny" else (lambda *shape: rng.normal(size=shape))
    return {"x": draw(B, D), "W": draw(D, H), "b": draw(H)}


def elman_step(rng, case):
    B, D, H = _sizes(case)
    draw = (lambda *shape: _small(rng, *shape) / 4) if case == "tiny" else (lambda *shape: rng.normal(size=shape) / 2)
    return {"x": draw(B, D), "h": np.tanh(draw(B, H)), "W_xh": draw(D, H), "W_hh": draw(H, H), "b_h": draw(H)}


def squared_loss(rng, case):
    if case == "tiny":
        return {"y": _small(rng, 2, 1) + 4, "target": _small(rng, 2, 1)}
    return {"y": rng.normal(size=(4, 3)), "target": rng.normal(size=(4, 3))}
