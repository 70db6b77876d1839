"""The inputs of every case, drawn from the generator of its seed. The smallest ones can be checked with a pencil."""

import numpy as np


def one_hot(rng, case):
    T, B, V = {"tiny": (2, 1, 3), "square": (4, 4, 4)}.get(case, (5, 2, 7))
    ids = rng.integers(0, V - 1, (T, B))  # the last letter of the alphabet does not occur
    ids[0, 0], ids[1, 0] = 1, 0
    return {"ids": ids, "V": V}


def shift_targets(rng, case):
    length, V = {"tiny": (2, 2), "one": (1, 4)}.get(case, (6, 5))
    ids = rng.integers(0, V, length)
    ids[: min(length, V)] = rng.permutation(V)[:length]
    return {"ids": ids, "start": V, "end": V + 1}


def char_loss(rng, case):
    T, B, V = {"tiny": (2, 1, 2), "square": (3, 3, 3), "cost": (10, 10, 20)}.get(case, (5, 2, 4))
    O = rng.integers(-2, 3, (T, B, V)) * 1.0 if case == "tiny" else rng.normal(0, 1.5, (T, B, V))
    if case == "large":
        O = O + 1000 * (rng.random((T, B, V)) < 0.4)
    return {"O": O, "Y": rng.integers(0, V, (T, B)), "reduction": "sum" if case in ("sum", "square") else "mean"}


def bpc(rng, case):
    if case == "tiny":
        return {"nats": np.round(rng.uniform(0.5, 3, 2), 1)}
    return {"nats": rng.exponential(1.5, 9)}


def network(rng, V, H):
    """An Elman network whose state matters: large recurrent weights, and outputs that know what they want."""
    shapes = {"W_xh": (V, H), "W_hh": (H, H), "b_h": (H,), "W_hy": (H, V), "b_y": (V,)}
    return {name: rng.normal(0, 2.0 if name == "W_hy" else 1.0, shape) for name, shape in shapes.items()}


def sample(rng, case):
    n, V, H = {"tiny": (3, 2, 1), "short": (6, 3, 1), "square": (30, 6, 6)}.get(case, (40, 7, 5))
    p, temperature = network(rng, V, H), {"cold": 0.5, "general": 1.5, "end": 1.5}.get(case, 2.0)
    h, x0 = np.tanh(rng.normal(0, 1.5, H)), int(rng.integers(V))
    inputs = {"p": p, "h": h, "x0": x0, "n": n, "temperature": temperature}
    if case in ("tiny", "short"):  # halves, and outputs that answer to the state
        p = {name: rng.choice([-1, 1], a.shape) * rng.integers(1, 3, a.shape) / 2 for name, a in p.items()}
        inputs |= {"p": {**p, "W_hy": 6 * p["W_hy"]}, "h": np.array([0.5])}
        return {**inputs, "u": near_the_edge(rng, **inputs), "end": None}
    u = rng.random(n)
    u[0] = 0.05 if case == "square" else 0.95  # far out: a die that always falls so is seen
    return {**inputs, "u": u, "end": latest(**inputs, u=u) if case == "end" else None}


def guesses(p, h, x, temperature):
    """The running sums of the chances, step after step; `send` says which character was drawn."""
    while True:
        h = np.tanh(p["W_xh"][x] + h @ p["W_hh"] + p["b_h"])
        e = np.exp((h @ p["W_hy"] + p["b_y"]) / temperature)
        x = yield np.cumsum(e) / e.sum()


def near_the_edge(rng, p, h, x0, n, temperature):
    """Uniform numbers that just draw one character and not its neighbour, so that few steps show a small slip."""
    u, guess = [], guesses(p, h, x0, temperature)
    running = next(guess)
    for _ in range(n):
        low, high = np.concatenate([[0], running[:-1]]), running
        x = rng.choice(np.flatnonzero(high - low > 0.1))
        inner = [edge for edge in (low[x] + 0.02, high[x] - 0.02) if 0.03 < edge < 0.97]
        u.append(round(float(rng.choice(inner or [0.5])), 3))
        running = guess.send(x)
    return np.array(u)


def latest(p, h, x0, n, temperature, u):
    """The character that is longest in coming."""
    first, guess = {}, guesses(p, h, x0, temperature)
    running = next(guess)
    for t in range(n):
        x = int(np.searchsorted(running, u[t], side="right"))
        first.setdefault(x, t)
        running = guess.send(x)
    return max(first, key=first.get)


def burn_in(rng, case):
    T, V, H = {"tiny": (2, 3, 1), "square": (4, 3, 3)}.get(case, (6, 4, 5))
    p = {name: a for name, a in network(rng, V, H).items() if name in ("W_xh", "W_hh", "b_h")}
    if case == "tiny":
        p = {name: rng.choice([-1, 1], a.shape) * rng.integers(3, 10, a.shape) / 10 for name, a in p.items()}
    ids = rng.integers(0, V, T)
    ids[:2], ids[-1] = rng.permutation([1, 2]), 0 if T > 2 else ids[-1]
    return {"p": p, "ids": ids}


def windows_n_to_1(rng, case):
    T, N = {"tiny": (4, 2), "square": (8, 4)}.get(case, (11, 3))
    return {"ids": rng.permutation(T), "N": N}


def windows_n_to_n(rng, case):
    T, N = {"tiny": (5, 2), "square": (17, 4), "left": (12, 3)}.get(case, (20, 3))
    return {"ids": rng.permutation(T), "N": N}
