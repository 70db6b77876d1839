"""Temporal order by plain gradient descent: which learning rates are usable, with and without clipping, and Omega."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import nn, ops, optim
from ...autograd import grad
from ...core import Tensor, tensor
from ...data import temporal_order
from ...nn import init
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

CHANCE, SOLVED = 0.75, 0.05  # of the answers wrong
WEIGHT = 2.0  # of Omega


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """For each learning rate a network of its own: what share of new sequences does it get wrong in the end?"""
    wrong, norms = {}, {}
    for T in size.lengths:
        for lr in size.rates:
            rng = np.random.default_rng([seed, T])
            wrong[f"{T}/{lr}"], norms[f"{T}/{lr}"] = _learned(arm, lr, T, rng, size)
    usable = {str(T): sum(wrong[f"{T}/{lr}"] <= SOLVED for lr in size.rates) for T in size.lengths}
    return {"score": float(np.mean(list(wrong.values()))), "wrong": wrong, "norm": norms, "usable": usable}


def _learned(arm: Arm, lr: float, T: int, rng: np.random.Generator, size: Size) -> tuple[float, float]:
    """The share that is wrong, and the largest norm of a gradient."""
    kernel = "unrolled" if arm.settings["omega"] else "fused"
    layer, head = nn.RNN(6, size.hidden, kernel=kernel, rng=rng), nn.Linear(size.hidden, 4, rng=rng)
    cell = layer.layers[0].forward  # the paper's "smart tanh"
    cell.W_hh.data = init.spectral_radius(init.sparse(cell.W_hh.shape, rng), 0.95)
    cell.W_xh.data = init.normal(cell.W_xh.shape, rng, 0.01)
    head.W.data = init.normal(head.W.shape, rng, 0.01)
    parameters = [*layer.parameters(), *head.parameters()]
    optimizer = optim.SGD(parameters, lr)
    largest = 0.0
    for _ in range(size.updates):
        x, y = temporal_order(rng, T, 20)
        for p, g in zip(parameters, _gradients(layer, head, parameters, x, y, arm.settings["omega"]), strict=True):
            p.grad = g
        norm = optim.clip_grad_norm(parameters, 1.0 if arm.settings["clip"] else math.inf)
        if not math.isfinite(norm):
            return CHANCE, math.inf
        largest = max(largest, norm)
        optimizer.step()
    x, y = temporal_order(rng, T, 500)
    with no_grad():
        return float((head(layer(x)[0][-1]).numpy().argmax(axis=1) != y).mean()), largest


def _gradients(layer: nn.RNN, head: nn.Linear, parameters: list[Tensor], x: np.ndarray, y: np.ndarray,
               omega: bool) -> list[Tensor]:  # fmt: skip
    if not omega:
        return list(grad(ops.cross_entropy(head(layer(x)[0][-1]), y), parameters))
    cell = layer.layers[0].forward
    hs = [cell.zero_state(x.shape[1])]
    for x_t in x:
        hs.append(cell.forward(x_t, hs[-1]))
    loss = ops.cross_entropy(head(hs[-1]), y)
    found = grad(loss, [*parameters, *hs[1:]])
    own, errors = found[: len(parameters)], found[len(parameters) :]
    states = np.stack([h.numpy() for h in hs[:-1]])
    flat = x.reshape(-1, x.shape[2])
    penalty = optim.omega(lambda h: cell.forward(flat, ops.reshape(h, (len(flat), -1))), states,
                          np.stack([e.numpy() for e in errors]))  # fmt: skip
    extra = grad(WEIGHT / len(x) * penalty, parameters, allow_unused=True)
    return [g if e is None else tensor(g.data + e.data) for g, e in zip(own, extra, strict=True)]


def figures(results: Results) -> dict[str, Any]:
    charts = {}
    rates = results.size.rates
    for T in results.size.lengths:
        curves = {arm: (np.log10(rates), [float(np.mean([found[f"{T}/{lr}"] for found in results.of(arm, "wrong")]))
                                          for lr in rates]) for arm in results.rates}  # fmt: skip
        charts[f"rates-{T}"] = curve_chart(curves, f"Temporal order, T = {T}: which rates are usable",
                                           "log10 of the learning rate", "share wrong in the end, mean",
                                           about="")  # fmt: skip
    return charts


def _usable(results: Results, arm: str, T: int) -> str:
    counts = [found.get(str(T), 0) for found in results.of(arm, "usable")]
    return f"{arm}: {np.mean(counts):.1f}"


ARMS = (
    Arm("SGD", settings={"clip": False, "omega": False}),
    Arm("SGD, clipped", settings={"clip": True, "omega": False}),
    Arm("SGD, clipped, Omega", settings={"clip": True, "omega": True}),
)

EXPERIMENT = Experiment(
    title="Temporal order: the learning rates that clipping makes usable",
    chapter="gradients",
    source="Pascanu, Mikolov & Bengio 2013, sections 3 and 4.1",
    about="Two letters among noise, and in which order they came. Plain gradient descent, at four learning rates and "
    "two lengths: a rate is usable if at most 5 % of the answers are wrong in the end. The paper's rate is 0.01 and "
    "its runs have up to five million updates; here it is asked which of the three learns within the same 600.",
    arms=ARMS,
    trial=trial,
    claims=(
        Claim("T = 20: with clipping more rates are usable than without",
              lambda seed: seed["SGD, clipped"]["usable"].get("20", 0) > seed["SGD"]["usable"].get("20", 0),
              "figure 7: SGD fails beyond T = 20, with clipping it learns",
              lambda results: "usable of 4: " + ", ".join(_usable(results, arm.name, 20) for arm in ARMS[:2])),
        Claim("T = 30: with clipping more rates are usable than without",
              lambda seed: seed["SGD, clipped"]["usable"].get("30", 0) > seed["SGD"]["usable"].get("30", 0),
              "figure 7",
              lambda results: "usable of 4: " + ", ".join(_usable(results, arm.name, 30) for arm in ARMS[:2])),
        Claim("with Omega at least as many as with clipping alone",
              lambda seed: sum(seed["SGD, clipped, Omega"]["usable"].values())
              >= sum(seed["SGD, clipped"]["usable"].values()),
              "figure 7: with both, 100 % up to T = 200",
              lambda results: "of 8: " + ", ".join(
                  f"{np.mean([sum(u.values()) for u in results.of(arm.name, 'usable')]):.1f}" for arm in ARMS[1:])),
    ),
    figures=figures,
    quick=Size(seeds=1, lengths=(20,), rates=(0.1, 0.3), hidden=20, updates=40),
    full=Size(seeds=5, lengths=(20, 30), rates=(0.03, 0.1, 0.2, 0.4), hidden=50, updates=600),
    seconds=130,
)  # fmt: skip
