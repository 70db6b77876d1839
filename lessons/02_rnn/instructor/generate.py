"""The inputs of lesson rnn's cases."""

import numpy as np

SIZES = {"tiny": (2, 1, 1, 1, 1), "square": (4, 2, 3, 3, 2)}  # T, B, D, H, C


def _draw(rng, case):
    """Arrays of a shape: quarters for paper in case tiny, normal numbers otherwise."""
    if case == "tiny":
        return lambda *shape: rng.choice([-0.75, -0.5, 0.25, 0.5, 1.0], shape)
    return lambda *shape: rng.normal(size=shape) * (0.7 if len(shape) > 1 else 0.5)


def _network(draw, D, H, C):
    return {"W_xh": draw(D, H), "W_hh": draw(H, H), "b_h": draw(H), "W_hy": draw(H, C), "b_y": draw(C)}


def elman_forward(rng, case):
    T, B, D, H, C = SIZES.get(case, (7, 2, 4, 5, 3))
    draw = _draw(rng, case)
    return {"X": draw(T, B, D), "h0": np.tanh(draw(B, H)), "p": _network(draw, D, H, C)}


many_to_one = elman_forward


def one_to_many(rng, case):
    T, B, D, H, C = SIZES.get(case, (6, 2, 4, 5, 3))
    draw = _draw(rng, case)
    return {"x0": draw(B, D), "h0": np.tanh(draw(B, H)), "p": _network(draw, D, H, C), "T": T}


def output_recurrence(rng, case):
    T, B, D, H, C = SIZES.get(case, (6, 2, 4, 5, 3))
    draw = _draw(rng, case)
    p = _network(draw, D, H, C)
    p = {**{name: p[name] for name in ("W_xh", "b_h", "W_hy", "b_y")}, "W_oh": draw(C, H)}
    return {"X": draw(T, B, D), "p": p, "teacher": None if case in ("tiny", "free") else draw(T, B, C)}


def masked_last(rng, case):
    if case == "tiny":
        return {"Hs": np.arange(1.0, 7.0).reshape(3, 2, 1), "lengths": np.array([2, 3])}
    T, B, H = 6, 4, 3
    lengths = np.array([4, 1, T, 3]) if case == "general" else rng.permutation([2, 3, 5, T])
    Hs = rng.normal(size=(T, B, H))
    Hs[np.arange(T)[:, None] >= lengths] *= 10  # what padding leaves behind is no zero
    return {"Hs": Hs, "lengths": lengths}


def stack_weights(rng, case):
    D, H = {"tiny": (1, 1), "square": (3, 3)}.get(case, (4, 3))
    draw = _draw(rng, "") if case != "tiny" else (lambda *shape: rng.integers(1, 9, shape) * 1.0)
    W_xh = draw(D, H)
    W_hh = W_xh + 1 if case == "tiny" else draw(H, H)
    return {"W_xh": W_xh, "W_hh": W_hh, "order": "hx" if case == "general" else "xh"}


def count_parameters(rng, case):
    D, H, C, T = (2, 3, 1, 2) if case == "tiny" else (int(n) for n in rng.permutation([11, 17, 23, 29]))
    return {"D": D, "H": H, "C": C, "T": T}
