"""Sequences of different lengths in one batch: with a mask, without one, and padded in front."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...data import pad, waves
from ...data.tasks import WAVES
from ...nn.wirings import ManyToOne
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train


def in_front(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """x (T, B, D), padded at its end, padded at its beginning instead."""
    T = len(x)
    lengths = mask.sum(axis=0)
    places = (np.arange(T)[:, None] - (T - lengths)) % T  # what stood at the end comes to the front
    return np.take_along_axis(x, places[..., None], axis=0)


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Learn to name waves of many lengths, padded as the arm says, and count the mistakes among fresh ones."""
    rng = np.random.default_rng(seed)
    model = ManyToOne(nn.GRU(1, size.hidden, rng=rng), nn.Linear(size.hidden, len(WAVES), rng=rng))

    def read(sequences: list[np.ndarray]) -> Any:
        x, mask = pad(sequences)
        if arm.settings["padding"] == "masked":
            return model(x, mask=mask)
        return model(in_front(x, mask) if arm.settings["padding"] == "in front" else x)

    def draw(source: np.random.Generator, many: int) -> tuple[list[np.ndarray], np.ndarray]:
        return waves(source, many, size.shortest, size.longest, size.noise)

    def loss(update: int) -> Tensor:
        sequences, y = draw(rng, size.batch)
        return ops.cross_entropy(read(sequences), y)

    assert rate is not None
    curve, _ = train(model.parameters(), loss, rate, size.updates, every=max(1, size.updates // 20))
    sequences, y = draw(np.random.default_rng([seed, 1]), size.test)
    with no_grad():
        logits = read(sequences).numpy()
        alone = np.array([model(s[:, None]).numpy()[0] for s in sequences[:50]])
    wrong = logits.argmax(axis=1) != y
    lengths = np.array([len(s) for s in sequences])
    edges = np.linspace(size.shortest, size.longest + 1, 5)
    by_length = [float(wrong[(lengths >= a) & (lengths < b)].mean()) for a, b in pairwise(edges)]
    return {"score": float(wrong.mean()), "error": float(wrong.mean()), "curve": curve, "by length": by_length,
            "shorter": by_length[0], "changed by company": float(np.abs(alone - logits[:50]).max())}  # fmt: skip


def figures(results: Results) -> dict[str, Any]:
    edges = np.linspace(results.size.shortest, results.size.longest + 1, 5)
    middles = (edges[:-1] + edges[1:]) / 2
    errors = {arm: (middles, np.mean(results.of(arm, "by length"), axis=0)) for arm in results.rates}
    curves = {arm: tuple(np.array(results.of(arm, "curve")[0]).T) for arm in results.rates}
    return {"by-length": curve_chart(errors, "Mistakes by the sequence's own length", "steps", "share wrong, mean",
                                     about=""),
            "curves": curve_chart(curves, "Naming waves of many lengths (first seed)",
                                  y_label="loss, nats")}  # fmt: skip


def _said(key: str, form: str = ".3f") -> Callable[[Results], str]:
    return lambda results: ", ".join(f"{arm} {results.median(arm, key):{form}}" for arm in results.rates)


EXPERIMENT = Experiment(
    title="Sequences of different lengths",
    chapter="wirings",
    source="the lectures on many to one; the GRU is that of Cho et al. 2014",
    about="Which of three waves is it, rising, falling or both, in sequences of 10 to 60 noisy steps? A batch must be "
    "a block, so the short ones are padded with zeros. With a mask the state stands still after each one's own end; "
    "without, the network reads up to fifty zeros between what it has heard and its answer, or before, if they stand "
    "in front. And only with a mask is the answer the same whoever else is in the batch.",
    arms=tuple(Arm(name, (0.003, 0.01), {"padding": padding})
               for name, padding in (("mask", "masked"), ("zeros after", "after"), ("zeros in front", "in front"))),
    trial=trial,
    claims=(
        Claim("with a mask, waves of all lengths are told apart", lambda seed: seed["mask"]["error"] < 0.05,
              "no figure", _said("error")),
        Claim("without, there are twice as many mistakes, or more",
              lambda seed: seed["zeros after"]["error"] > 2 * seed["mask"]["error"], "no figure", _said("error")),
        Claim("zeros in front are better than zeros after",
              lambda seed: seed["zeros in front"]["error"] < seed["zeros after"]["error"], "no figure", _said("error")),
        Claim("with a mask, nobody's answer depends on who is in the batch",
              lambda seed: seed["mask"]["changed by company"] < 1e-4 < seed["zeros after"]["changed by company"],
              "a theorem", _said("changed by company", ".1e")),
    ),
    figures=figures,
    quick=Size(seeds=1, shortest=10, longest=30, noise=0.2, hidden=8, batch=16, updates=60, test=100),
    full=Size(seeds=5, pilots=1, shortest=10, longest=60, noise=0.2, hidden=16, batch=32, updates=500, test=500),
    seconds=50,
)  # fmt: skip
