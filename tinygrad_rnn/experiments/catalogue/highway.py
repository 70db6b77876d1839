"""Depth: plain, highway and residual networks of 10 and of 30 layers on digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import data, nn, ops
from ...autograd import grad
from ...core import Tensor
from ...pictures.charts import curve_chart
from ..classifying import batches, mistakes
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

WIDTH = 50


def network(kind: str, depth: int, rng: np.random.Generator) -> nn.Sequential:
    """`depth` layers of tanh between an entry and an exit: plainly on top of each other, gated, or added."""
    if kind == "highway":
        return nn.Highway(64, WIDTH, 10, depth, rng=rng)
    layers = []
    for _ in range(depth):
        layer = nn.Sequential(nn.Linear(WIDTH, WIDTH, rng=rng), ops.tanh)
        layers.append(nn.Residual(layer) if kind == "residual" else layer)
    return nn.Sequential(nn.Linear(64, WIDTH, rng=rng), *layers, nn.Linear(WIDTH, 10, rng=rng))


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train on digits; the share of kept digits misread, and the gradient's norm at each layer before learning."""
    rng = np.random.default_rng(seed)
    images, labels, _ = data.digits()
    x = images.reshape(len(images), -1)
    learned, kept = data.random_split(len(labels), 0.2, rng)
    net, rows = network(arm.settings["kind"], arm.settings["depth"], rng), batches(learned, 64, rng)
    first = learned[:64]
    norms = gradient_norms(net, x[first], labels[first])

    def loss_of(update: int) -> Tensor:
        chosen = next(rows)
        return ops.cross_entropy(net(x[chosen]), labels[chosen])

    curve, _ = train(net.parameters(), loss_of, rate or 0.0, size.updates, every=max(1, size.updates // 10),
                     check=lambda: mistakes(net, x[kept], labels[kept]))  # fmt: skip
    return {"score": curve[-1][1], "error": curve[-1][1], "curve": curve, "norms": norms}


def gradient_norms(net: nn.Sequential, x: np.ndarray, labels: np.ndarray) -> list[float]:
    """The norm of the loss's gradient at the output of each step but the last, before anything is learned."""
    outputs: list[Tensor] = []
    for step in net.steps[:-1]:
        outputs.append(step(outputs[-1] if outputs else x))
    loss = ops.cross_entropy(net[-1](outputs[-1]), labels)
    return [float(np.linalg.norm(g.numpy())) for g in grad(loss, outputs)]


def figures(results: Results) -> dict[str, Any]:
    deep = [arm for arm in results.rates if arm.endswith("30")]
    norms, curves = {}, {}
    for arm in deep:
        mean = np.exp(np.log(np.maximum(results.of(arm, "norms"), 1e-300)).mean(axis=0))
        norms[arm] = (np.arange(len(mean)), mean)
    for arm in results.rates:
        points = np.array(results.of(arm, "curve"))
        curves[arm] = (points[0, :, 0], 100 * points[:, :, 1].mean(axis=0))
    return {
        "gradients": curve_chart(norms, "The gradient on its way down 30 layers, before learning", "layer",
                                 "norm of ∂L/∂h", log=True),
        "errors": curve_chart(curves, "Digits misread by deep networks", y_label="% of kept images"),
    }  # fmt: skip


def _error(*arms: str) -> Any:
    return lambda results: " against ".join(f"{100 - 100 * results.median(arm, 'error'):.1f} %" for arm in arms) + (
        " right"
    )


EXPERIMENT = Experiment(
    title="Deep networks: plain, highway and residual",
    chapter="images",
    source="Srivastava, Greff & Schmidhuber 2015; He et al. 2016",
    about="Digits of 8 x 8 points through 10 or 30 layers of 50 tanh units, same start and same budget. Each plain "
    "layer multiplies the gradient by less than one, so that nothing arrives at the first; a gate that carries, or a "
    "sum, lets it through.",
    arms=tuple(Arm(f"{kind} {depth}", (0.0003, 0.001, 0.003, 0.01), {"kind": kind, "depth": depth})
               for depth in (10, 30) for kind in ("plain", "highway", "residual")),
    trial=trial,
    claims=(
        Claim("a plain network of 30 layers does not learn", lambda seed: seed["plain 30"]["error"] > 0.5,
              "12.4 % right on MNIST (a reproduction with 6 000 images)", _error("plain 30")),
        Claim("a highway of 30 layers reads 9 of 10 digits", lambda seed: seed["highway 30"]["error"] < 0.1,
              "92.6 % right (the same reproduction)", _error("highway 30")),
        Claim("so do 30 residual layers", lambda seed: seed["residual 30"]["error"] < 0.1,
              "no figure at this size", _error("residual 30")),
        Claim("at 10 layers the highway is already ahead of the plain network",
              lambda seed: seed["highway 10"]["error"] < seed["plain 10"]["error"],
              "91.3 % against 29.2 % right (the same reproduction)", _error("highway 10", "plain 10")),
        Claim("30 layers of a highway lose at most 5 points to 10",
              lambda seed: seed["highway 30"]["error"] < seed["highway 10"]["error"] + 0.05,
              "92.6 % against 91.3 % right", _error("highway 30", "highway 10")),
    ),
    figures=figures,
    quick=Size(seeds=1, pilots=0, updates=20),
    full=Size(seeds=5, pilots=1, updates=300),
    needs=("sklearn",),
    seconds=85,
)  # fmt: skip
