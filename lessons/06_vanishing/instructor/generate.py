"""The inputs of the cases: small ones to be checked by hand, then ones in which every mistake shows."""

import numpy as np


def jac_product(rng, case):
    if case == "tiny":  # one unit: the product of two numbers
        return {"Hs": np.array([[0.5], [0.0], [0.6]]), "W_hh": np.array([[2.0]]), "t": 2, "k": 0}
    if case == "one_step":
        return {"Hs": np.array([[0.5, 0.2], [0.0, 0.8]]), "W_hh": np.array([[1.0, 2.0], [3.0, 4.0]]), "t": 1, "k": 0}
    T, H, t, k = {"itself": (4, 3, 2, 2), "middle": (7, 3, 5, 2)}.get(case, (6, 5, 5, 0))
    return {"Hs": np.tanh(rng.normal(size=(T, H))), "W_hh": rng.normal(size=(H, H)), "t": t, "k": k}


def spectral(rng, case):
    if case == "shear":  # grows at first, dies in the end
        return {"W_hh": np.array([[0.5, 3.0], [0.0, 0.5]])}
    if case == "turn":  # the eigenvalues are 0.8i and -0.8i
        return {"W_hh": np.array([[0.0, -1.6], [0.4, 0.0]])}
    W_hh = rng.normal(size=(5, 5)) / 2
    if case == "negative":  # the eigenvalue of largest modulus is real and below zero
        W_hh -= 3 * np.eye(5)
    return {"W_hh": W_hh}


FORECASTS = {  # sigma1, rho, gamma, steps
    "calm": (0.5, 0.5, 1.0, 2),  # nothing in doubt: tanh, both numbers below 1
    "transient": (3.0, 0.5, 1.0, 3),  # the shear: one step may stretch, the long run shrinks
    "sigmoid": (2.0, 1.5, 0.25, 3),  # above 1, but not above 1/gamma
    "sigmoid_wild": (8.0, 6.0, 0.25, 4),
    "wild": (2.0, 1.5, 1.0, 5),
    "orthogonal": (1.0, 1.0, 1.0, 7),  # just on the border
}


def forecast(rng, case):
    sigma1, rho, gamma, steps = FORECASTS.get(case) or (rng.uniform(4.5, 7), rng.uniform(1.5, 3.5), 0.25, 6)
    return {"sigma1": float(sigma1), "rho": float(rho), "gamma": gamma, "steps": steps}


def latch_basin(rng, case):
    small, large = rng.uniform(0.02, 0.08), rng.uniform(1.2, 1.6)
    w, h = {
        "no_input": (2.0, 0.0),
        "pulled": (2.0, -0.25),  # h_star is 0.53: the unit holds
        "pushed": (1.5, -large),  # h_star is 0.21: it falls
        "lifted": (1.5, large),
    }.get(case, (rng.uniform(1.8, 2.5), small))
    return {"w": w, "h": h}


def cliff_loss(rng, case):
    if case == "tiny":  # sigmoid(0) = 1/2, at every step
        return {"w": np.array([0.0]), "b": np.array([0.0]), "x0": 0.0, "T": 2}
    if case == "one_step":
        return {"w": np.array([2.0]), "b": np.array([-1.0]), "x0": 0.0, "T": 1}
    w = rng.uniform(2.0, 6.0, 4)
    return {"w": w, "b": rng.uniform(-0.6, -0.4, 4) * w, "x0": 0.5, "T": 6}


def clip_global(rng, case):
    if case == "tiny":  # norm 5, threshold 2
        return {"grads": [np.array([3.0]), np.array([4.0])], "max_norm": 2.0}
    if case == "within":  # norm 5 again, within 10
        return {"grads": [np.array([3.0]), np.array([0.0, 4.0])], "max_norm": 10.0}
    if case == "zero":
        return {"grads": [np.zeros((2, 3)), np.zeros(3)], "max_norm": 0.5}
    shapes = [(3, 4), (4, 4), (4,)]
    grads = [rng.normal(size=shape) for shape in shapes]
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    wanted, max_norm = {"below": (0.8, 0.9), "just_above": (3.0, 2.5)}.get(case, (20.0, 5.0))
    return {"grads": [g * wanted / norm for g in grads], "max_norm": max_norm}


def clip_value(rng, case):
    if case == "tiny":
        return {"theta": np.array([1.0, 1.0]), "g": np.array([4.0, -1.0]), "lr": 0.5, "limit": 2.0}
    g = rng.normal(size=7) * 3
    g[:3] = [6.0, -5.0, 0.4]  # on both sides of the limit, with either sign
    limit = 10.0 + np.abs(g).max() if case == "within" else 2.5
    lr = 0.1 if case == "within" else 1.5  # a rate above 1 tells a clipped step from a clipped gradient
    return {"theta": rng.normal(size=7) * 4, "g": g, "lr": lr, "limit": float(limit)}


def omega(rng, case):
    if case == "tiny":  # one unit, two steps
        return {"dHs": np.array([[1.0], [2.0]]), "Hs": np.array([[0.5], [0.0]]), "W_hh": np.array([[3.0]])}
    T, H = {"square": (3, 3), "cost": (3, 45)}.get(case, (6, 4))
    return {"dHs": rng.normal(size=(T, H)), "Hs": np.tanh(rng.normal(size=(T, H))), "W_hh": rng.normal(size=(H, H))}
