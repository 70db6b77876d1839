"""The GRU against the LSTM: parameters, operations, and what they learn."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor, tensor
from ...data import temporal_order
from ...pictures.charts import curve_chart
from ...recording import no_grad, step, trace
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

LAYERS = {"LSTM": nn.LSTM, "GRU": nn.GRU}
SOLVED = 0.05  # of the sequences misclassified; chance is 0.75
LETTERS = 6


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train on temporal order; the share of 500 other sequences that is misclassified, and what a step costs."""
    assert rate is not None
    rng = np.random.default_rng(seed)
    layer, head = LAYERS[arm.name](LETTERS, size.hidden, rng=rng), nn.Linear(size.hidden, 4, rng=rng)
    x_test, y_test = temporal_order(rng, size.T, 500)

    def loss(update: int) -> Tensor:
        x, y = temporal_order(rng, size.T, size.batch)
        return ops.cross_entropy(head(layer(tensor(x))[0][-1]), y)

    def error() -> float:
        with no_grad():
            answers = head(layer(tensor(x_test))[0][-1]).numpy().argmax(axis=1)
        return float((answers != y_test).mean())

    curve, _ = train([*layer.parameters(), *head.parameters()], loss, rate, size.updates,
                     every=max(1, size.updates // 20), check=error)  # fmt: skip
    products, elementwise = operations(layer.layers[0].forward)
    last = [e for _, e in curve][-3:]
    return {"score": sum(e for _, e in curve) / len(curve), "error": sum(last) / len(last), "curve": curve,
            "parameters": layer.count_parameters(), "products": products, "elementwise": elementwise,
            "milliseconds": _milliseconds(layer, loss)}  # fmt: skip


def operations(cell: nn.LSTMCell | nn.GRUCell) -> tuple[int, int]:
    """What one step of a cell takes for one sample, counted in the recorded graph: multiplications of matrix products
    (each with its addition), and numbers made by elementwise operations."""
    with trace() as recorded, step(0):
        cell(tensor(np.ones((1, cell.input_size), np.float32)))
    products = elementwise = 0
    for node in recorded.nodes:
        if node.op.name == "matmul":
            (m, k), n = node.arrays[0].shape, node.arrays[1].shape[1]
            products += m * k * n
        elif not node.op.several:
            elementwise += math.prod(node.value.shape)
    return products, elementwise


def _milliseconds(layer: nn.Recurrent, loss: Any) -> float:
    """The shortest of a few updates' forward and backward passes; for the figure alone, as no two runs agree on it."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        loss(0).backward()
        times.append(1000 * (time.perf_counter() - start))
    for p in layer.parameters():
        p.grad = None
    return min(times)


def _ratio(key: str) -> Any:
    """The GRU's share of the LSTM's."""
    return lambda results: f"{results.median('GRU', key):,.0f} of {results.median('LSTM', key):,.0f}"


def figures(results: Results) -> dict[str, Any]:
    curves = {}
    for arm in results.rates:
        updates, errors = np.moveaxis(np.array(results.of(arm, "curve")), 2, 0)
        curves[f"{arm}, {results.median(arm, 'parameters'):,.0f} parameters"] = updates[0], errors.mean(axis=0)
    about = "\n".join(
        f"{arm}: {results.median(arm, 'products'):,.0f} multiply-adds and {results.median(arm, 'elementwise'):,.0f} "
        f"elementwise results a step; here {results.median(arm, 'milliseconds'):.1f} ms for forward and backward"
        for arm in results.rates
    )
    title = f"Temporal order, {results.size.T} steps, mean over {results.size.seeds} seeds"
    return {"error": curve_chart(curves, title, "update", "share misclassified", about=about)}


EXPERIMENT = Experiment(
    title="GRU against LSTM",
    chapter="cells",
    source='Cho et al. 2014; Jozefowicz, Zaremba & Sutskever 2015; ELTE lecture 9 ("fewer parameters, faster")',
    about="At the same number of units the GRU has three gates' weights to the LSTM's four. Does it learn as well? "
    "Both are to tell in which order two letters came in a sequence of others. Time depends on the machine, so what a "
    "step takes is counted in the recorded graph; the figure's note says how long it took here.",
    arms=(Arm("LSTM", (0.003, 0.01)), Arm("GRU", (0.003, 0.01))),
    trial=trial,
    claims=(
        Claim("the GRU has three quarters of the parameters",
              lambda seed: seed["GRU"]["parameters"] * 4 == seed["LSTM"]["parameters"] * 3,
              "29,928 of 38,184, embedding and softmax included (Jozefowicz et al.)", _ratio("parameters")),
        Claim("three quarters of the multiply-adds a step",
              lambda seed: seed["GRU"]["products"] * 4 == seed["LSTM"]["products"] * 3,
              '"faster" (lecture)', _ratio("products")),
        Claim("both solve temporal order (under 5 % misclassified)",
              lambda seed: max(seed["GRU"]["error"], seed["LSTM"]["error"]) < SOLVED,
              "HS97: the LSTM after 31,390 sequences of about 105 steps",
              lambda results: f"LSTM {results.median('LSTM', 'error'):.3f}, GRU {results.median('GRU', 'error'):.3f} "
                              "(median)"),
        Claim("the GRU ends no more than 2 % worse", lambda seed: seed["GRU"]["error"] < seed["LSTM"]["error"] + 0.02,
              "accuracy on arithmetic 0.896 to the LSTM's 0.892 (Jozefowicz et al.)",
              lambda results: f"mean errors {results.mean('GRU', 'error')[0]:.3f} and "
                              f"{results.mean('LSTM', 'error')[0]:.3f}"),
    ),
    figures=figures,
    quick=Size(seeds=1, T=10, hidden=16, batch=32, updates=100),
    full=Size(seeds=5, pilots=1, T=30, hidden=32, batch=32, updates=1200),
    seconds=60,
)  # fmt: skip
