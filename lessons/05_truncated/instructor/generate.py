"""The inputs of every case, drawn from the generator of its seed. The smallest ones can be checked with a pencil."""

import numpy as np

GENERAL = (2, 4, 5, 3)  # B, D, H, C


def network(rng, case, T, sizes=GENERAL):
    """X, Y and p: inputs, one-hot targets, weights. "tiny": tenths, so that a step fits on a line."""
    B, D, H, C = {"tiny": (1, 1, 1, 2), "cost": (2, 20, 32, 20)}.get(case, sizes)
    shapes = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,), "W_hy": (H, C), "b_y": (C,)}

    def draw(shape, size):
        if case == "tiny":
            return rng.choice([-1, 1], shape) * rng.integers(3, 10, shape) / 10
        return rng.normal(0, size, shape)

    p = {name: draw(shape, 0.9 / np.sqrt(shape[0]) if len(shape) > 1 else 0.3) for name, shape in shapes.items()}
    return draw((T, B, D), 1.0), np.eye(C)[rng.integers(0, C, (T, B))], p


def chunks(rng, case):
    n, k = {"tiny": (3, 2), "whole": (6, 3), "single": (4, 1)}.get(case, (0, 0))
    if case == "general":
        k = int(rng.integers(4, 9))
        n = int(k * rng.integers(3, 6) + rng.integers(1, k - 1))
    return {"n": n, "k": k}


def tbptt_isolated(rng, case):
    T, k, N = {"tiny": (3, 2, 2), "whole": (6, 3, 2), "cost": (6, 3, 2)}.get(case, (13, 4, 6))
    X, Y, p = network(rng, case, T)
    if case == "general":  # in no order, of all lengths, some overlapping, one step in no segment
        starts = rng.permutation([1, 2, 4, 7, 8, 11])
        assert len(starts) == N
    else:
        starts = np.arange(0, T, k)
    return {"X": X, "Y": Y, "p": p, "k": k, "starts": starts}


def tbptt_carried(rng, case):
    T, k = {"tiny": (4, 2), "whole": (6, 3), "cost": (6, 3)}.get(case, (16, 3))
    X, Y, p = network(rng, case, T)
    h = rng.choice([-0.4, 0.6], (1, 1)) if case == "tiny" else rng.normal(0, 0.7, (2, len(p["W_hh"])))
    return {"X": X, "Y": Y, "h": h, "p": p, "k": k}


def tbptt_documents(rng, case):
    lengths, k = {"tiny": ([2, 1], 1), "two": ([5, 4], 2), "cost": ([4, 2], 3)}.get(case, ([4, 1, 3, 2, 5, 1], 3))
    X, Y, p = network(rng, case, sum(lengths))
    return {"X": X, "Y": Y, "lengths": np.array(lengths), "p": p, "k": k}


def tbptt_windows(rng, case):
    sizes = {"tiny": (3, 2, 1), "apart": (9, 3, 3), "sparse": (10, 2, 3), "cost": (6, 3, 2)}
    T, k, stride = sizes.get(case, (14, 4, 2))
    X, Y, p = network(rng, case, T)
    return {"X": X, "Y": Y, "p": p, "k": k, "stride": stride}


def how_far(rng, case):
    return {}


def tbptt_k1k2(rng, case):
    T, k1, k2 = {"tiny": (3, 1, 2), "equal": (6, 3, 3), "cost": (6, 3, 5)}.get(case, (13, 2, 5))
    X, Y, p = network(rng, case, T)
    return {"X": X, "Y": Y, "p": p, "k1": k1, "k2": k2}
