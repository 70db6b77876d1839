"""The order of the source: a sequence to be copied is read from its start, or from its end."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...nn.wirings import reverse_source
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

SYMBOLS = 8


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train an encoder-decoder to copy `size.length` random symbols; the loss, by place, on 500 new sequences."""
    rng = np.random.default_rng(seed)
    reverse = arm.settings["reverse"]
    model = nn.EncoderDecoder(SYMBOLS + 1, SYMBOLS + 1, size.hidden, reverse=reverse, rng=rng)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        source = rng.integers(1, SYMBOLS + 1, (size.length, count))
        return source, np.concatenate([source, np.zeros((1, count), int)])  # 0 is END

    def loss(update: int) -> Tensor:
        source, target = draw(size.batch)
        return ops.sequence_loss(model(source, target), target, "mean")

    source, target = draw(500)

    def by_place() -> np.ndarray:
        with no_grad():
            losses = ops.cross_entropy(model(source, target), target, reduction="none")
        return np.asarray(losses.numpy()[:-1].mean(axis=1))

    assert rate is not None
    curve, _ = train(model.parameters(), loss, rate, size.updates, every=max(1, size.updates // 20),
                     check=lambda: float(by_place().mean()))  # fmt: skip
    said, _ = model.greedy(source[:, :200], max_len=size.length + 1)
    exact = len(said) == len(target) and (said == target[:, :200]).all(axis=0).mean()
    lags = lag(size.length, reverse)
    return {"score": curve[-1][1], "exact": float(exact), "curve": curve, "by place": by_place().tolist(),
            "lag": [int(lags.min()), float(lags.mean())]}  # fmt: skip


def lag(length: int, reverse: bool) -> np.ndarray:
    """How many steps after a symbol is read it is to be said, by place: measured by reading the places themselves."""
    places = np.arange(length)[:, None]
    read = (reverse_source(places) if reverse else places)[:, 0].tolist()
    return np.array([length + place - read.index(place) for place in range(length)])


def figures(results: Results) -> dict[str, Any]:
    curves = {f"{arm}, seed {i + 1}": ([u for u, _ in curve], [loss for _, loss in curve])
              for arm in results.rates for i, curve in enumerate(results.of(arm, "curve")[:2])}  # fmt: skip
    places = {arm: (np.arange(1.0, results.size.length + 1), np.mean(results.of(arm, "by place"), axis=0))
              for arm in results.rates}  # fmt: skip
    return {
        "loss": curve_chart(curves, "Copying: the source read from its start, or from its end", "update",
                            "nats a symbol"),
        "by_place": curve_chart(places, "Which symbols are known at the end of training", "place in the sequence",
                                "nats, mean of the seeds"),
    }  # fmt: skip


def _lags(results: Results) -> str:
    least, mean = zip(*(results.of(arm, "lag")[0] for arm in ("forward", "reversed")), strict=True)
    return f"least {least[0]} and {least[1]}, mean {mean[0]:g} and {mean[1]:g}"


EXPERIMENT = Experiment(
    title="A source read from its end",
    chapter="wirings",
    source="Sutskever, Vinyals & Le 2014, section 3.3",
    about="Random symbols are to be repeated after the last. Read forward, each must be kept equally long; read from "
    "the end, the first to be said was read just now, and the mean lag is the same. Look at which places are learned.",
    arms=(Arm("reversed", (0.01, 0.02), {"reverse": True}), Arm("forward", (0.01, 0.02), {"reverse": False})),
    trial=trial,
    claims=(
        Claim("reading from the end shortens the least lag and keeps the mean",
              lambda seed: seed["reversed"]["lag"][0] == 1 < seed["forward"]["lag"][0]
              and seed["reversed"]["lag"][1] == seed["forward"]["lag"][1],
              "\"the average distance ... is unchanged\", the \"minimal time lag\" reduced", _lags),
        Claim("after the same updates its loss is lower",
              lambda seed: seed["reversed"]["score"] < seed["forward"]["score"],
              "test perplexity 5.8 forward, 4.7 reversed",
              lambda results: f"{results.median('forward'):.2f} nats forward, "
                              f"{results.median('reversed'):.2f} reversed (medians)"),
        Claim("above all that of the first symbol",
              lambda seed: seed["reversed"]["by place"][0] < 0.5 * seed["forward"]["by place"][0],
              "confident predictions expected in the early parts; no figure",
              lambda results: " and ".join(f"{np.median([b[0] for b in results.of(arm, 'by place')]):.2g} nats {arm}"
                                           for arm in ("forward", "reversed"))),
    ),
    figures=figures,
    quick=Size(seeds=1, length=5, hidden=16, batch=32, updates=60),
    full=Size(seeds=5, pilots=1, length=12, hidden=64, batch=64, updates=500),
    seconds=60,
)  # fmt: skip
