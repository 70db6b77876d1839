"""Depth in three forms, with as many weights: stacked, inside the step, and there with a way past."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ... import autograd, nn, ops
from ...core import Tensor, tensor
from ...data import temporal_order
from ...nn.wirings import DeepRNN, ManyToOne, measured_path_length, path_length
from ...pictures.charts import curve_chart, lag_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

FORMS: dict[str, Callable[..., nn.Recurrent]] = {
    "plain": nn.RNN,
    "stacked": partial(nn.RNN, num_layers=3),
    "deep transition": partial(DeepRNN, transition_depth=3),
    "deep, with a way past": partial(DeepRNN, transition_depth=3, skip=True),
}


def of_size(form: str, D: int, C: int, weights: int, rng: np.random.Generator) -> ManyToOne:
    """A model of this form, as wide as it can be with so many weights."""

    def model(H: int) -> ManyToOne:
        return ManyToOne(FORMS[form](D, H, rng=rng), nn.Linear(H, C, rng=rng))

    H = 1
    while model(H + 1).count_parameters() <= weights:
        H += 1
    return model(H)


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Learn which two letters came, and in which order; and how long the ways through time are, how much comes back."""
    rng = np.random.default_rng(seed)
    model = of_size(arm.name, 6, 4, size.weights, np.random.default_rng([seed, 2]))
    reach = _gradients(model, *temporal_order(np.random.default_rng([seed, 1]), size.T, 64))

    def loss(update: int) -> Tensor:
        x, y = temporal_order(rng, size.T, size.batch)
        return ops.cross_entropy(model(x), y)

    def error() -> float:
        x, y = temporal_order(np.random.default_rng([seed, 1]), size.T, 500)
        with no_grad():
            return float((model(x).numpy().argmax(axis=1) != y).mean())

    assert rate is not None
    curve, _ = train(model.parameters(), loss, rate, size.updates, every=max(1, size.updates // 20), check=error)
    formula, counted = path_length(model.layer, size.T), _counted(model.layer, size.T)
    mean = float(np.mean([wrong for _, wrong in curve]))  # over all of the learning: who is faster has less
    return {
        "score": mean, "error": curve[-1][1], "mean error": mean, "curve": curve,
        "weights": model.count_parameters(), "width": model.layer.hidden_size,
        "shortest": formula.shortest, "longest": formula.longest, "as counted": bool(formula == counted),
        "reach": reach, "comes back": reach[-1] / reach[0],
    }  # fmt: skip


def _gradients(model: ManyToOne, x: np.ndarray, y: np.ndarray) -> list[float]:
    """The norm of dL/dh of the lowest layer, before anything is learned, from the last step back to the first."""
    layer, states = model.layer, []
    state: Any = None
    for x_t in x:
        _, state = nn.wirings.one_step(layer, tensor(x_t), state)
        states.append(state[0] if layer.num_layers > 1 else state)
    top = state[-1] if layer.num_layers > 1 else state
    gradients = autograd.grad(ops.cross_entropy(model.head(top), y), states)
    return [float(np.linalg.norm(g.numpy())) for g in reversed(gradients)]


def _counted(layer: nn.Recurrent, lag: int) -> Any:
    """The path length, counted in the graph of a run."""
    h0, state = tensor(np.zeros((1, layer.hidden_size), np.float32), requires_grad=True), None
    state = h0 if layer.num_layers == 1 else (h0, *[layer.layers[0].forward.zero_state(1)] * (layer.num_layers - 1))
    for _ in range(lag):
        h, state = nn.wirings.one_step(layer, tensor(np.ones((1, layer.input_size), np.float32)), state)
    return measured_path_length(h0, h)


def figures(results: Results) -> dict[str, Any]:
    curves = {arm: tuple(np.array(results.of(arm, "curve")[0]).T) for arm in results.rates}
    reach = {arm: np.array(results.of(arm, "reach")[0]) for arm in results.rates}
    return {"curves": curve_chart(curves, "Which two letters, in which order? (first seed)",
                                  y_label="share of answers wrong", about=_said(results).replace("), ", ")\n")),
            "reach": lag_chart(reach, "What comes back through depth, before learning (first seed)")}  # fmt: skip


def _said(results: Results) -> str:
    errors = {arm: [results.median(arm, key) for key in ("error", "mean error")] for arm in results.rates}
    return "error (its mean while learning): " + ", ".join(f"{arm} {a:.2f} ({b:.2f})" for arm, (a, b) in errors.items())


def _ways(results: Results) -> str:
    ways = {arm: [results.of(arm, key)[0] for key in ("shortest", "longest")] for arm in results.rates}
    return ", ".join(f"{arm} {shortest} to {longest}" for arm, (shortest, longest) in ways.items())


def _back(results: Results) -> str:
    return ", ".join(f"{arm} 10^{math.log10(results.median(arm, 'comes back')):.1f}" for arm in results.rates)


EXPERIMENT = Experiment(
    title="Depth in a recurrent network, three ways",
    chapter="wirings",
    source="Goodfellow, Bengio & Courville 2016, section 10.5, figure 10.13; Pascanu, Gulcehre, Cho & Bengio 2014",
    about="As many weights in four forms: one layer; three, stacked; three in each transition; and those with a way "
    "past. Two letters out of twenty have to be remembered, in their order. Layers inside the step lengthen every way "
    "through time, and the gradient has that much further to come; a way past makes the shortest as short as before. "
    "Faster is whose error is less on average over the updates.",
    arms=tuple(Arm(form, (0.001, 0.003, 0.01)) for form in FORMS),
    trial=trial,
    claims=(
        Claim("the ways are as long as the formula says", lambda seed: all(arm["as counted"] for arm in seed.values()),
              "may lengthen the shortest path; an identity", _ways),
        Claim("a deep transition lets back a tenth of what a way past does, or less",
              lambda seed: seed["deep transition"]["comes back"] < 0.1 * seed["deep, with a way past"]["comes back"],
              "no figure", _back),
        Claim("the deep transition does not learn it", lambda seed: seed["deep transition"]["error"] > 0.2,
              "may hurt learning by making optimization difficult; no figure",
              lambda results: f"error {results.median('deep transition', 'error'):.2f} (median; chance: 0.75)"),
        Claim("with a way past it does", lambda seed: seed["deep, with a way past"]["error"] < 0.05,
              "skip connections mitigate it; no figure",
              lambda results: f"error {results.median('deep, with a way past', 'error'):.2f} (median)"),
        Claim("and faster than a plain network of as many weights",
              lambda seed: seed["deep, with a way past"]["mean error"] < seed["plain"]["mean error"],
              "deep transitions with shortcuts beat it on music and text, by a few per cent",
              lambda results: f"mean error {results.median('deep, with a way past', 'mean error'):.2f} against "
                              f"{results.median('plain', 'mean error'):.2f}"),
        Claim("the stacked one is faster than the plain one",
              lambda seed: seed["stacked"]["mean error"] < seed["plain"]["mean error"],
              "stacking beat the plain network on some of them",
              lambda results: f"mean error {results.median('stacked', 'mean error'):.3f} against "
                              f"{results.median('plain', 'mean error'):.3f}"),
    ),
    figures=figures,
    quick=Size(seeds=1, T=10, weights=600, batch=16, updates=40),
    full=Size(seeds=5, pilots=1, T=20, weights=2000, batch=32, updates=600),
    seconds=65,
)  # fmt: skip
