"""Real-time recurrent learning: the same gradient, forwards in time, and what it costs."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ... import nn, optim
from ...autograd import grad
from ...core import Tensor, tensor
from ...data import echo
from ...flow import RTRL
from ...ops import cross_entropy
from ...ops import sum as total
from ...optim.curvature import flatten
from ...pictures.charts import curve_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

SMALL = 1e-30  # the complex step
LAG = 2


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """One gradient by three roads; the multiplications of each; and a network that learns while it reads."""
    rng = np.random.default_rng(seed)
    cell = nn.RNNCell(2, size.H, dtype=np.float64, rng=rng)
    x, c = rng.standard_normal((size.T, 1, 2)), rng.standard_normal((size.T, 1, size.H))
    parameters = list(cell.parameters())
    forwards = RTRL(cell, parameters, cell.zero_state(1))
    h, loss, by_rtrl = cell.zero_state(1), tensor(0.0, dtype=np.float64), np.zeros(1)
    for x_t, c_t in zip(x, c, strict=True):
        h = cell(x_t, h)
        loss = loss + total(h * c_t)
        forwards.advance(x_t)
        by_rtrl = by_rtrl + flatten(forwards.gradients(partial(_weighted, c_t)))
    by_bptt = flatten(grad(loss, parameters))
    by_step = _complex_step(cell, x, c)
    largest = np.abs(by_step).max()
    return {"score": float(np.abs(by_rtrl - by_bptt).max() / largest),
            "bptt": float(np.abs(by_rtrl - by_bptt).max() / largest),
            "complex": float(np.abs(by_rtrl - by_step).max() / largest),
            "cost": {str(H): _cost(H) for H in size.sizes}, "online": _online(rng, size)}  # fmt: skip


def _weighted(c: np.ndarray, h: Tensor) -> Tensor:
    return total(h * c)


def _complex_step(cell: nn.RNNCell, x: np.ndarray, c: np.ndarray) -> np.ndarray:
    weights = [p.numpy() for p in (cell.W_xh, cell.W_hh, cell.b_h)]
    found = []
    for i, w in enumerate(weights):
        for at in np.ndindex(w.shape):
            moved = [a.astype(complex) for a in weights]
            moved[i][at] += SMALL * 1j
            h, loss = np.zeros((1, cell.hidden_size)), 0.0
            for x_t, c_t in zip(x, c, strict=True):
                h = np.tanh(x_t @ moved[0] + h @ moved[1] + moved[2])
                loss = loss + (h * c_t).sum()
            found.append(np.imag(loss) / SMALL)
    return np.array(found)


def _cost(H: int) -> int:
    """Multiplications of RTRL's product in one step, for the recurrent weights."""
    cell = nn.RNNCell(1, H, rng=0)
    forwards = RTRL(cell, [cell.W_hh], cell.zero_state(1))
    forwards.advance(np.ones((1, 1), np.float32))
    return forwards.multiplications


def _online(rng: np.random.Generator, size: Size) -> list[list[float]]:
    """Learning after each step of one endless stream, with no past kept: the echo of two steps ago. [step, share of
    right answers in the last stretch] pairs."""
    cell, head = nn.RNNCell(1, 8, rng=rng), nn.Linear(8, 2, rng=rng)
    x, y = echo(rng, size.online, 1, LAG)
    parameters = list(cell.parameters())
    learner = RTRL(cell, parameters, cell.zero_state(1))
    optimizer = optim.Adam([*parameters, *head.parameters()], lr=0.01)
    right, notes, stretch = [], [], size.online // 20
    for t in range(size.online):
        h = learner.advance(x[t])
        logits = head(h)
        right.append(bool(logits.numpy().argmax() == y[t, 0]))
        optimizer.zero_grad()
        cross_entropy(logits, y[t]).backward()  # of the read-out
        found = learner.gradients(partial(_surprise, head, y[t]))
        for p, g in zip(parameters, found, strict=True):
            p.grad = tensor(g)
        optim.clip_grad_norm(optimizer.params, 1.0)
        optimizer.step()
        if (t + 1) % stretch == 0:
            notes.append([t + 1, float(np.mean(right[-stretch:]))])
    return notes


def _surprise(head: nn.Linear, target: np.ndarray, h: Tensor) -> Tensor:
    return cross_entropy(head(h), target)


def figures(results: Results) -> dict[str, Any]:
    curves = {f"seed {i + 1}": ([t for t, _ in notes], [share for _, share in notes])
              for i, notes in enumerate(results.of("Elman", "online")[:3])}  # fmt: skip
    sizes = results.size.sizes
    cost = {"RTRL": (sizes, [results.of("Elman", "cost")[0][str(H)] for H in sizes]),
            "BPTT, H x H": (sizes, [H * H for H in sizes])}  # fmt: skip
    return {
        "online": curve_chart(curves, "Learning while reading: the echo of two steps ago", "step",
                              "share of right answers", about=""),
        "cost": curve_chart(cost, "Multiplications a step", "units H", "for the recurrent weights", log=True, about=""),
    }  # fmt: skip


EXPERIMENT = Experiment(
    title="RTRL, BPTT and the complex step: three roads to one gradient",
    chapter="gradients",
    source="Williams & Zipser 1989",
    about="Real-time recurrent learning carries dh/dW forwards beside the state, so that a network can learn after "
    "each step and keep no past. The gradient is that of backpropagation through time. The price is a product of H^4 "
    "multiplications a step, where BPTT has H^2.",
    arms=(Arm("Elman"),),
    trial=trial,
    claims=(
        Claim("RTRL = BPTT to 1e-10", lambda seed: seed["Elman"]["bptt"] < 1e-10, "an identity",
              lambda results: f"largest relative difference {max(results.of('Elman', 'bptt')):.1e}"),
        Claim("RTRL = complex step to 1e-10", lambda seed: seed["Elman"]["complex"] < 1e-10, "an identity",
              lambda results: f"largest relative difference {max(results.of('Elman', 'complex')):.1e}"),
        Claim("its cost grows with H^4",
              lambda seed: all(cost == int(H) ** 4 for H, cost in seed["Elman"]["cost"].items()),
              "O(n^4) a step", lambda results: ", ".join(f"H={H}: {n:,}" for H, n in
                                                         results.of("Elman", "cost")[0].items())),
        Claim("learning at each step of a stream, it echoes (95 % at the end)",
              lambda seed: seed["Elman"]["online"][-1][1] >= 0.95, "no figure: online learning works",
              lambda results: ", ".join(f"{notes[-1][1]:.0%}" for notes in results.of("Elman", "online"))),
    ),
    figures=figures,
    quick=Size(seeds=1, T=5, H=4, sizes=(4, 8), online=100),
    full=Size(seeds=5, T=12, H=6, sizes=(4, 8, 16, 32), online=600),
    seconds=15,
)  # fmt: skip
