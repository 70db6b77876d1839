"""The Gauss-Newton matrix of small recurrent networks, by products and written out."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn, ops
from ...autograd import grad
from ...core import Tensor, tensor
from ...optim.curvature import GaussNewton, flatten, softmax_hessian, unflatten
from ...pictures.charts import curve_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

SMALL = 1e-30  # the complex step


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """A random Elman network with a softmax over `size.C` classes at each step: G v by two backward passes, against
    J' H_L J v, J column by column by the complex step; and the eigenvalues of G and of the Hessian."""
    rng = np.random.default_rng(seed)
    T, B, D, H, C = size.T, 4, 3, size.H, 4
    rnn = nn.RNN(D, H, kernel="unrolled", dtype=np.float64, rng=rng)
    head = nn.Linear(H, C, dtype=np.float64, rng=rng)
    parameters = [*rnn.parameters(), *head.parameters()]
    x, targets = rng.standard_normal((T, B, D)), rng.integers(0, C, (T, B))
    logits = head(rnn(x)[0])
    theta = flatten(parameters)

    def plain(theta: np.ndarray) -> np.ndarray:
        W_xh, W_hh, b_h, W, b = unflatten(theta, parameters)
        h, outputs = np.zeros((B, H)), []
        for x_t in x:
            h = np.tanh(x_t @ W_xh + h @ W_hh + b_h)
            outputs.append(h @ W + b)
        return np.stack(outputs)

    J = np.stack([plain(theta + SMALL * 1j * unit).imag.ravel() / SMALL for unit in np.eye(theta.size)], axis=1)
    p = np.exp(logits.numpy().reshape(-1, C))
    p /= p.sum(axis=1, keepdims=True)
    blocks = (np.eye(C) * p[:, None] - p[:, :, None] * p[:, None]) / B
    HJ = (blocks @ J.reshape(-1, C, theta.size)).reshape(-1, theta.size)
    whole = J.T @ HJ
    G = GaussNewton(logits, parameters, softmax_hessian(logits, 1 / B))
    vs = rng.standard_normal((5, theta.size))
    error = max(float(np.abs(G @ v - whole @ v).max() / np.abs(whole @ v).max()) for v in vs)
    first = grad(ops.sequence_loss(logits, targets), parameters, create_graph=True)
    hessian = np.stack([flatten(grad(first, parameters, [Tensor(a) for a in unflatten(unit, parameters)]))
                        for unit in np.eye(theta.size)])  # fmt: skip
    return {"score": error, "error": error, "parameters": theta.size,
            "G": np.sort(np.linalg.eigvalsh(whole))[::-1].round(9),
            "Hessian": np.sort(np.linalg.eigvalsh((hessian + hessian.T) / 2))[::-1].round(9),
            "linear": _linear(rng)}  # fmt: skip


def _linear(rng: np.random.Generator) -> float:
    """Of a model that is linear in its parameters, G is the Hessian: how far they differ on one product."""
    x, y, v = rng.standard_normal((9, 4)), rng.integers(0, 3, 9), rng.standard_normal(12)
    W = tensor(rng.standard_normal((4, 3)), requires_grad=True)
    logits = tensor(x) @ W
    (first,) = grad(ops.cross_entropy(logits, y), W, create_graph=True)
    Hv = flatten(grad(first, W, Tensor(v.reshape(4, 3))))
    return float(np.abs(GaussNewton(logits, W, softmax_hessian(logits, 1 / 9)) @ v - Hv).max() / np.abs(Hv).max())


def figures(results: Results) -> dict[str, Any]:
    lines = {name: np.array(results.of("small RNNs", name)[0]) for name in ("G", "Hessian")}
    curves = {name: (np.arange(1, len(v) + 1), v) for name, v in lines.items()}
    return {"spectrum": curve_chart(curves, "Curvatures of one loss, largest first (first seed)", "direction",
                                    "eigenvalue")}


EXPERIMENT = Experiment(
    title="The Gauss-Newton product is J' H_L J v",
    chapter="learning",
    source="Martens 2010, section 4.2; Schraudolph 2002",
    about="Hessian-free optimization never forms its matrix. The product of the Gauss-Newton matrix with a vector "
    "takes two backward passes; here it is compared with the matrix itself, written out for random small networks. G "
    "has no negative eigenvalue; the Hessian of the same loss has.",
    arms=(Arm("small RNNs"),),
    trial=trial,
    claims=(
        Claim("G v = J' H_L J v to 1e-10", lambda seed: seed["small RNNs"]["error"] < 1e-10, "an identity",
              lambda results: f"largest relative difference {max(results.of('small RNNs', 'error')):.1e}"),
        Claim("of a linear model G is the Hessian, to 1e-10", lambda seed: seed["small RNNs"]["linear"] < 1e-10,
              "an identity", lambda results: f"largest difference {max(results.of('small RNNs', 'linear')):.1e}"),
        Claim("G has no negative eigenvalue, the Hessian has some",
              lambda seed: seed["small RNNs"]["G"][-1] > -1e-8 > -1e-3 > seed["small RNNs"]["Hessian"][-1],
              "G is positive semi-definite",
              lambda results: f"smallest: G {min(g[-1] for g in results.of('small RNNs', 'G')) + 0.0:.1g}, Hessian "
              f"{min(h[-1] for h in results.of('small RNNs', 'Hessian')):.2g}"),
    ),
    figures=figures,
    quick=Size(seeds=1, T=4, H=4),
    full=Size(seeds=10, T=8, H=8),
    seconds=5,
)  # fmt: skip
