"""Handwriting prediction: where will the pen go next?"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...data import handwriting, handwriting_batch
from ...nn.generative import Mixture, MixtureDensity, PredictionNetwork, mdn_loss
from ...optim import schedules
from ...pictures.charts import curve_chart
from ...pictures.handwriting import density_picture, handwriting_picture
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

LETTERS = "abcdefghijklmnopqrstuvwxyz"
CELL = 0.25  # of the map, in steps


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Learn strings of 3 or 4 random letters, each in another hand; then the log-loss of 100 new ones, and that of one
    Gaussian (and one probability to lift the pen) that knows the steps' mean, spread and correlation."""
    rng = np.random.default_rng(seed)
    network: Any
    if arm.name == "LSTM":
        network = PredictionNetwork(size.hidden, mixtures=10, rng=rng)
    elif arm.name == "tanh":
        layer, head = nn.RNN(3, size.hidden, rng=rng), MixtureDensity(size.hidden, 10, rng=rng)
        network = nn.Sequential(layer, lambda outputs: outputs[0], head)
    else:  # a network that has only the last step to go by
        network = nn.MLP([3, size.hidden, size.hidden, 1 + 6 * 10], rng=rng)

    def outputs(x: np.ndarray) -> Any:
        y_hat = network(x)
        return y_hat[0] if isinstance(y_hat, tuple) else y_hat

    def strings(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        words = ["".join(rng.choice(list(LETTERS), rng.integers(3, 5))) for _ in range(count)]
        return handwriting_batch(words, rng)

    def nats(x: np.ndarray, mask: np.ndarray) -> Tensor:
        weights = mask.astype(np.float32)
        return ops.sum(mdn_loss(outputs(x[:-1]), x[1:]) * (weights / weights.sum()))

    test = strings(100, np.random.default_rng([seed, 1]))  # the same for all arms

    def check() -> float:
        with no_grad():
            return float(nats(*test).item())

    assert rate is not None
    schedule = schedules.warm_up(schedules.linear(rate, size.updates), max(1, size.updates // 10))
    curve, _ = train(network.parameters(), lambda update: nats(*strings(size.batch, rng)), schedule, size.updates,
                     every=max(1, size.updates // 20), check=check)  # fmt: skip
    outcome: Outcome = {"score": curve[-1][1], "curve": curve, "gaussian": _gaussian(*test)}
    if arm.name == "LSTM":
        word = handwriting("lstm", rng)
        with no_grad():
            y_hat = network(np.concatenate([[[[0, 0, 1]]], word[:-1, None]]).astype(np.float32))[0].numpy()[:, 0]
        corner, grid = _map(y_hat, word)
        freely = network.write(120, rng, count=6, bias=0.5)
        outcome |= {"word": np.round(word, 3).tolist(), "map": np.round(grid, 3).tolist(), "corner": corner,
                    "freely": np.round(freely, 3).tolist()}  # fmt: skip
    return outcome


def _gaussian(x: np.ndarray, mask: np.ndarray) -> float:
    """The log-loss of the best single Gaussian, in nats a step: its entropy, and that of the pen's lifting."""
    steps = x[1:][mask].astype(np.float64)
    lifted = steps[:, 2].mean()
    spread = np.linalg.slogdet(np.cov(steps[:, :2].T, bias=True))[1]
    return float(1 + np.log(2 * np.pi) + spread / 2 - lifted * np.log(lifted) - (1 - lifted) * np.log(1 - lifted))


def _map(y_hat: np.ndarray, word: np.ndarray) -> tuple[tuple[float, float], np.ndarray]:
    """The density of where the pen goes next, summed over the steps of a word, and the map's top left corner; each
    Gaussian is widened to about a cell, so that none falls between two."""
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(word[:, :2], axis=0)])
    (left, low), (right, top) = path.min(axis=0) - 2, path.max(axis=0) + 2
    gx, gy = np.meshgrid(np.arange(left, right, CELL) + CELL / 2, np.arange(top, low, -CELL) - CELL / 2)
    _, log_pi, mu_1, mu_2, s_1, s_2, r = Mixture.of(y_hat)
    grid = np.zeros(gx.shape)
    for t, (x, y) in enumerate(path[:-1]):
        for k in range(log_pi.shape[1]):
            v_1, v_2 = np.exp(2 * s_1[t, k]) + CELL**2 / 2, np.exp(2 * s_2[t, k]) + CELL**2 / 2
            c = np.tanh(r[t, k]) * np.exp(s_1[t, k] + s_2[t, k])
            d_1, d_2, det = gx - x - mu_1[t, k], gy - y - mu_2[t, k], v_1 * v_2 - c * c
            Z = (v_2 * d_1**2 - 2 * c * d_1 * d_2 + v_1 * d_2**2) / det
            grid += np.exp(log_pi[t, k] - Z / 2) / (2 * np.pi * np.sqrt(det))
    return (float(left), float(top)), np.sqrt(grid)  # the root, so that what is less sure can be seen too


def figures(results: Results) -> dict[str, Any]:
    one = results.seeds[0]["LSTM"]
    curves = {arm: ([u for u, _ in curve], [loss for _, loss in curve])
              for arm in results.rates for curve in results.of(arm, "curve")[:1]}  # fmt: skip
    level = one["gaussian"]
    curves["one Gaussian"] = ([0, results.size.updates], [level, level])
    freely = [(f"sample {i + 1}", x) for i, x in enumerate(one["freely"])]
    return {
        "curves": curve_chart(curves, "Log-loss of new strings while learning (first seed)", "update",
                              "nats a step"),
        "map": density_picture(one["word"], one["map"], one["corner"], CELL, "Where the pen was expected",
                               'Grey: where the network thought, at each step of "lstm", that the pen would go next. '
                               "Orange dots: where it went. Clouds are where a word may go on in many ways."),
        "freely": handwriting_picture(freely, "What it writes by itself",
                                      "120 steps each, bias 0.5; nobody told it what to write.", columns=2),
    }  # fmt: skip


def _nats(*arms: str) -> Any:
    return lambda results: ", ".join(f"{arm}: {results.median(arm):.2f}" for arm in arms) + " nats a step (medians)"


EXPERIMENT = Experiment(
    title="Handwriting prediction: where the pen goes next",
    chapter="generative",
    source="Graves 2013, section 4",
    about="Strokes of random strings in a cursive font, each time slanted, stretched and shaken otherwise, are "
    "predicted step by step as a mixture of Gaussians. How much does memory help? A network that sees the last step "
    "only, one with a tanh layer and one with an LSTM are compared; and one Gaussian that knows nothing but averages.",
    arms=(Arm("LSTM", (0.003, 0.01)), Arm("tanh", (0.003, 0.01)), Arm("last step", (0.003, 0.01))),
    trial=trial,
    claims=(
        Claim("the LSTM's log-loss is below that of one Gaussian by 2 nats a step",
              lambda seed: seed["LSTM"]["score"] < seed["LSTM"]["gaussian"] - 2,
              "no figure a step; -1041.0 nats a line without weight noise (table 3)",
              lambda results: f"{results.median('LSTM'):.2f}, the Gaussian {results.median('LSTM', 'gaussian'):.2f}"),
        Claim("memory helps: LSTM below the last step alone, by 0.3 nats",
              lambda seed: seed["LSTM"]["score"] < seed["last step"]["score"] - 0.3, "no figure",
              _nats("LSTM", "last step")),
        Claim("the LSTM is better than tanh", lambda seed: seed["LSTM"]["score"] < seed["tanh"]["score"],
              "no figure: the paper has LSTMs only", _nats("LSTM", "tanh")),
    ),
    figures=figures,
    quick=Size(seeds=1, hidden=16, batch=8, updates=20),
    full=Size(seeds=5, pilots=1, hidden=64, batch=32, updates=400),
    needs=("HersheyFonts",),
    seconds=120,
)  # fmt: skip
