"""The inputs of the cases. Sizes all differ in "general"; "square" tells apart what elsewhere only crashes."""

import numpy as np


def mul_backward(rng, case):
    if case == "tiny":  # z = xy at x = -2, y = 3, and 5 arrives
        return {"g": np.array([[5.0]]), "x": np.array([[-2.0]]), "y": np.array([[3.0]])}
    shape = (60, 50) if case == "cost" else (4, 3)
    return {name: rng.normal(size=shape) for name in ("g", "x", "y")}


def matmul_backward(rng, case):
    if case == "tiny":
        return {"g": np.array([[1.0, 10.0]]), "X": np.array([[2.0, 3.0]]), "W": np.array([[1.0, 2.0], [3.0, 4.0]])}
    B, D, H = {"square": (3, 3, 3), "cost": (30, 40, 50)}.get(case, (4, 3, 5))
    return {"g": rng.normal(size=(B, H)), "X": rng.normal(size=(B, D)), "W": rng.normal(size=(D, H))}


def numgrad(rng, case):
    if case == "tiny":  # x^3 at 2, by half a unit: (15.625 - 3.375) / 1 = 12.25
        return {"x": np.array([[2.0]]), "a": np.array([[1.0]]), "c": 0.0, "eps": 0.5}
    shape = (12, 10) if case == "cost" else (3, 4)  # numerical by profession: the probe says that it costs as it should
    a = rng.normal(size=shape)
    a[0, 0] = -60.0  # one gradient is negative, whatever the rest is
    return {"x": rng.uniform(0.5, 2, shape), "a": a, "c": 0.7, "eps": 1e-2}


def copy_backward(rng, case):
    if case == "tiny":
        return {"gs": [np.array([[2.0]]), np.array([[3.0]])]}
    shape = (30, 40) if case == "cost" else (3, 4)
    return {"gs": [rng.normal(size=shape) for _ in range(4)]}


def unbroadcast(rng, case):
    if case == "tiny":
        return {"g": np.arange(1.0, 9.0).reshape(2, 2, 2)}
    return {"g": rng.normal(size={"square": (3, 3, 3), "cost": (20, 10, 15)}.get(case, (4, 3, 5)))}


def softmax_xent(rng, case):
    if case == "tiny":  # p = 1/2, 1/2 and 1/4, 3/4
        return {"o": np.array([[1.0, 1.0], [0.0, np.log(3.0)]]), "y": np.array([0, 1])}
    B, C = {"square": (4, 4), "cost": (40, 50)}.get(case, (5, 3))
    o, y = rng.normal(size=(B, C)), rng.integers(0, C, B)
    if case == "large":  # rows on scales of their own; the right class of the first is hopelessly unlikely
        o = 300 * o + np.array([[2000.0], [-2000.0], [900.0], [0.0], [-900.0]])
        y[0] = o[0].argmin()
        o[0, y[0]] -= 900.0
    return {"o": o, "y": y}


def toposort(rng, case):
    if case == "tiny":  # node 3 = node 2 + x, node 2 = x * y: x and y are nodes 0 and 1
        return {"edges": np.array([[0, 2], [1, 2], [2, 3], [0, 3]]), "nodes": 4}
    if case == "deep":
        return {"edges": np.stack([np.arange(1999), np.arange(1, 2000)], axis=1), "nodes": 2000}
    if case == "diamonds":  # each is the one before it, times itself
        return {"edges": np.repeat(np.stack([np.arange(6), np.arange(1, 7)], axis=1), 2, axis=0), "nodes": 7}
    return _general(rng)


def _general(rng):
    """Short ways beside long ones, to the left and to the right, among random nodes; the last but two are not used."""
    edges, leaves = [], 4
    for made in range(leaves, 9):
        edges += [[int(a), made] for a in rng.choice(made, rng.integers(1, 4), replace=False)]
    short, other = rng.choice(9, 2, replace=False)
    for made, inputs in {9: [short], 10: [short, 9], 11: [other], 12: [11, other], 13: [10], 14: [13, 12]}.items():
        edges += [[int(a), made] for a in inputs]
    used = [a for a, _ in edges]
    loose = [a for a in range(9) if a not in used]
    edges += [[0, 15], [15, 16]]  # leads away from the root, which is node 17
    edges += [[a, 17] for a in (10, *loose, 14, 12)]
    return {"edges": np.array(edges), "nodes": 18}


def Tensor(rng, case):
    if case == "tiny":
        H, edges, factors = 1, [[0, 1], [0, 2], [1, 2]], [2.0, 3.0, 5.0]  # n0 goes to n1 and to n2; 3 + 5 * 2 = 13
        plain = {"x": [[-1.0], [0.5]], "y": [[2.0], [3.0]], "b": [4.0], "W": [[3.0]], "g": [[1.0], [10.0]],
                 "gW": [[1.0], [10.0]], "values": [[3.0], [4.0], [5.0]]}
        arrays = {name: np.array(value) for name, value in plain.items()}
    else:
        B, D, H, K = {"square": (3, 3, 3, 6), "cost": (20, 30, 40, 8)}.get(case, (4, 3, 5, 8))
        # every node goes on to the next; n1 and n2 to n5 as they are; and the last is made of the one before, twice
        edges = [[i, i + 1] for i in range(K - 2)] + [[0, 2], [1, 5], [2, 5], [0, 4], [K - 2, K - 1], [K - 2, K - 1]]
        factors = [float(factor) for factor in rng.uniform(0.5, 1.5, len(edges))]
        for i, edge in enumerate(edges):
            if edge in ([1, 5], [2, 5]):
                factors[i] = 1.0
        shapes = {"x": (B, D), "y": (B, D), "b": (D,), "W": (D, H), "g": (B, D), "gW": (B, H), "values": (K, 2)}
        arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    owner = np.broadcast_to(np.arange(len(arrays["b"])), arrays["x"].shape).copy()
    return {**arrays, "owner": owner, "edges": np.array(edges), "factors": np.array(factors)}
