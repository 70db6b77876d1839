"""The inputs of the cases: `function(rng, case)` returns the arguments, from a forward pass unless case is "probe"."""

import numpy as np

PLAIN = np.array([-1.0, -0.5, 0.5, 1.0, 1.5])  # what a learner can calculate with by hand


def sizes(case):
    """B, D, H: all 1; those where swapped matrices (D = H), a W_xh that is not transposed (D = 4H) or a split of the
    batch (B = 4) do not crash; all different; about 2 000 parameters for `cost`."""
    special = {"square": (2, 3, 3), "wide": (2, 4, 1), "batch": (4, 2, 1), "cost": (2, 17, 15)}
    return {"tiny": (1, 1, 1), **special}.get(case, (2, 4, 3))


def numbers(rng, case, *shape):
    return rng.choice(PLAIN, shape) if case == "tiny" else rng.normal(size=shape)


def weights(rng, case, D, width, H):
    scale = 1.0 if case == "tiny" else 0.6
    return {
        "W_xh": scale * numbers(rng, case, D, width),
        "W_hh": scale * numbers(rng, case, H, width),
        "b_h": scale * numbers(rng, case, width),
    }


def state(rng, case, B, H):
    """h within (-1, 1), as a state is, and c."""
    h = rng.choice([-0.5, 0.5], (B, H)) if case == "tiny" else rng.uniform(-0.9, 0.9, (B, H))
    return h, numbers(rng, case, B, H)


def gates_of(x, h, p):
    a = x @ p["W_xh"] + h @ p["W_hh"] + p["b_h"]
    H = h.shape[1]
    return np.hstack([1 / (1 + np.exp(-a[:, : 3 * H])), np.tanh(a[:, 3 * H :])])


def any_gates(rng, *shape):
    """Gates that no forward pass has made: i, f, o within (0, 1), g within (-1, 1), on the last axis."""
    low = np.concatenate([np.full(3 * (shape[-1] // 4), 0.05), np.full(shape[-1] // 4, -0.95)])
    return low + (0.95 - low) * rng.random(shape)


def incomplete_lstm_step_backward(rng, case):
    B, D, H = (2, 31, 31) if case == "cost" else sizes(case)
    p = weights(rng, case, D, H, H)
    x = numbers(rng, case, B, D)
    h_prev, c_prev = state(rng, case, B, H)
    c_tilde = np.tanh(x @ p["W_xh"] + h_prev @ p["W_hh"] + p["b_h"])
    h = np.tanh(c_prev + c_tilde)
    if case == "probe":
        c_tilde, h = rng.uniform(-0.9, 0.9, (2, B, H))
    dh, dc = numbers(rng, case, B, H), numbers(rng, case, B, H)
    return {"dh": dh, "dc": dc, "x": x, "h_prev": h_prev, "c_tilde": c_tilde, "h": h, "p": p}


def lstm_step(rng, case):
    B, D, H = sizes(case)
    h, c = state(rng, case, B, H)
    return {"x": numbers(rng, case, B, D), "h": h, "c": c, **weights(rng, case, D, 4 * H, H)}


def lstm_step_backward(rng, case):
    B, D, H = sizes(case)
    p = weights(rng, case, D, 4 * H, H)
    x = numbers(rng, case, B, D)
    h_prev, c_prev = state(rng, case, B, H)
    gates = gates_of(x, h_prev, p)
    i, f, _, g = np.split(gates, 4, axis=1)
    c = f * c_prev + i * g
    if case == "probe":
        gates, c = any_gates(rng, B, 4 * H), rng.normal(size=(B, H))
    dh, dc = numbers(rng, case, B, H), numbers(rng, case, B, H)
    return {"dh": dh, "dc": dc, "x": x, "h_prev": h_prev, "c_prev": c_prev, "c": c, "gates": gates, "p": p}


def lstm_bptt(rng, case):
    """Steps back that are linear maps of (dh, dc), as those of every cell are; see driver.py."""
    T = {"tiny": 2, "square": 4}.get(case, 6)
    B, D, H = sizes(case)
    shrink = 1.0 if case == "tiny" else 0.7 / np.sqrt(H)
    return {
        "dHs": numbers(rng, case, T, B, H),
        "X": numbers(rng, case, T, B, D),
        "Hs": numbers(rng, case, T, B, H),
        "to_gates": shrink * numbers(rng, case, T, 2 * H, 4 * H),
        "to_cell": shrink * numbers(rng, case, T, 2 * H, H),
        "W_xh": numbers(rng, case, D, 4 * H),
        "W_hh": shrink * numbers(rng, case, H, 4 * H),
    }


def cell_jacobian(rng, case):
    H = {"tiny": 1, "square": 2, "cost": 80}.get(case, 4)
    if case == "tiny":
        (o, *o_prev), (i, f) = rng.permutation([0.25, 0.75]), rng.permutation([0.25, 0.5])
        gates, o_prev = np.array([i, f, o, rng.choice([-0.5, 0.5])]), np.array(o_prev)
    else:
        gates, o_prev = any_gates(rng, 4 * H), rng.uniform(0.1, 0.9, H)
    return {"gates": gates, "c_prev": numbers(rng, case, H), "o_prev": o_prev, "W_hh": numbers(rng, case, H, 4 * H)}


def repack_gates(rng, case):
    D, H, src = {"tiny": (1, 1, "ifgo"), "square": (8, 2, "ifgo")}.get(case, (5, 3, "fogi"))
    return {"W": rng.permuted(np.arange(D * 4.0 * H)).reshape(D, 4 * H), "src": src, "dst": "ifog"}


def init_forget_bias(rng, case):
    H, value = {"tiny": (1, 1.0), "square": (2, 2.0)}.get(case, (3, 1.5))
    b = rng.permutation([-0.5, 0.25, 0.5, 0.75]) if case == "tiny" else rng.normal(size=4 * H)
    return {"b": b, "value": value}


def chrono_bias(rng, case):
    H, T_max = {"tiny": (2, 10), "square": (3, 20)}.get(case, (5, 100))
    u = rng.permutation([0.25, 0.5]) if case == "tiny" else rng.uniform(0.05, 0.95, H)
    return {"H": H, "T_max": T_max, "u": u}
