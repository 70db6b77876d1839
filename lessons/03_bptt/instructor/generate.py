"""The inputs of every case, drawn from the generator of its seed. The smallest ones can be checked with a pencil."""

import numpy as np

SIZES = {"tiny": (2, 1, 1, 1, 1), "square": (4, 2, 3, 3, 3), "cost": (6, 2, 20, 32, 20)}


def network(rng, case):
    """X, h0, dO and p of one sequence. In "tiny" they are tenths, so that a step fits on a line of paper."""
    T, B, D, H, C = SIZES.get(case, (7, 2, 4, 5, 3))
    shapes = {"X": (T, B, D), "h0": (B, H), "dO": (T, B, C)}
    weights = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,), "W_hy": (H, C), "b_y": (C,)}

    def draw(shape, size):
        if case == "tiny":
            return rng.choice([-1, 1], shape) * rng.integers(3, 10, shape) / 10
        return rng.normal(0, size, shape)

    p = {name: draw(shape, 0.9 / np.sqrt(shape[0]) if len(shape) > 1 else 0.3) for name, shape in weights.items()}
    return *(draw(shape, 0.7) for shape in shapes.values()), p


def with_states(rng, case):
    """The same, and the states that follow; for "probe" states such as no forward pass would make."""
    X, h0, dO, p = network(rng, case)
    h, Hs = h0, []
    for x in X:
        h = np.tanh(x @ p["W_xh"] + h @ p["W_hh"] + p["b_h"])
        Hs.append(rng.uniform(-0.9, 0.9, h.shape) if case == "probe" else h)
    return X, h0, np.stack(Hs), dO, p


def elman_step_backward(rng, case):
    X, h0, Hs, _, p = with_states(rng, case)
    dh = rng.choice([-2.0, 2.0], h0.shape) if case == "tiny" else rng.normal(size=h0.shape)
    return {"dh": dh, "x": X[0], "h_prev": h0, "h": Hs[0], "p": {name: p[name] for name in ("W_xh", "W_hh", "b_h")}}


def bptt(rng, case):
    X, h0, Hs, dO, p = with_states(rng, case)
    return {"X": X, "h0": h0, "Hs": Hs, "dO": dO, "p": p}


def output_gradients(rng, case):
    T, B, C = {"tiny": (2, 1, 2), "cost": (10, 10, 20)}.get(case, (5, 2, 3))
    over_time = {"mean": "mean", "last": "last"}.get(case, "sum")
    return {"O": rng.normal(0, 1.5, (T, B, C)), "Y": np.eye(C)[rng.integers(0, C, (T, B))], "over_time": over_time}


def three_uses(rng, case):
    return {}


def immediate_grad(rng, case):
    X, h0, Hs, _, _ = with_states(rng, case)
    da = rng.choice([-2.0, 2.0], h0.shape) if case == "tiny" else rng.normal(size=h0.shape)
    return {"X": X, "h0": h0, "Hs": Hs, "t": {"tiny": 1, "first": 0, "square": 2}.get(case, 4), "da": da}


def contribution(rng, case):
    X, h0, Hs, dO, p = with_states(rng, case)
    k, t = {"tiny": (0, 1), "same": (3, 3), "future": (4, 2), "first": (0, 4), "square": (1, 3)}.get(case, (2, 5))
    return {"k": k, "t": t, "X": X, "h0": h0, "Hs": Hs, "dO_t": dO[t], "p": p}


def jacobian(rng, case):
    H = {"tiny": 1, "two": 2, "cost": 40}.get(case, 5)
    h = rng.uniform(-0.9, 0.9, H)
    if case in ("tiny", "two"):
        W_hh = rng.permutation([1.0, 2.0, -3.0, 4.0])[: H * H].reshape(H, H)
        return {"h": rng.choice([-0.3, 0.7], H), "W_hh": W_hh}
    return {"h": 2 * h if case == "probe" else h, "W_hh": rng.normal(size=(H, H))}
