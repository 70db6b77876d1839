"""The year in a sentence: who shares weights over positions reads it where no year ever stood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor, tensor
from ...data import year_sentences
from ...data.tasks import YEAR_WORDS, YEARS
from ...nn.wirings import ManyToOne
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train


class Flat(nn.Module):
    """All words side by side, x (T, B, D) as (B, T D), into one hidden layer: a weight for each word at each place."""

    def __init__(self, T: int, D: int, H: int, C: int, rng: np.random.Generator) -> None:
        self.mlp = nn.MLP((T * D, H, C), ops.tanh, rng=rng)

    def forward(self, x: Any) -> Any:
        return self.mlp(np.moveaxis(x, 0, 1).reshape(x.shape[1], -1))


class Convolution(nn.Module):
    """A layer over each pair of neighbours, the same at all places, and the largest value over time of each unit."""

    def __init__(self, T: int, D: int, H: int, C: int, rng: np.random.Generator) -> None:
        self.pairs, self.head = nn.Linear(2 * D, H, rng=rng), nn.Linear(H, C, rng=rng)

    def forward(self, x: Any) -> Any:
        return self.head(ops.max(ops.tanh(self.pairs(np.concatenate([x[:-1], x[1:]], axis=2))), axis=0))


def recurrent(kind: type[nn.Recurrent]) -> Callable[..., nn.Module]:
    """What makes a many-to-one network of such a layer, for sentences of T words, each one-hot (D,)."""
    return lambda T, D, H, C, rng: ManyToOne(kind(D, H, rng=rng), nn.Linear(H, C, rng=rng))


MODELS: dict[str, Callable[..., nn.Module]] = {
    "RNN": recurrent(nn.RNN), "LSTM": recurrent(nn.LSTM), "CNN": Convolution, "MLP": Flat,
}  # fmt: skip


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Years stand at the first and the last places of the sentence while learning; then everywhere, also between."""
    rng = np.random.default_rng(seed)
    T, D = size.T, len(YEAR_WORDS)
    held_out = range(T // 3, T - T // 3)
    seen = [at for at in range(1, T) if at not in held_out]
    model = MODELS[arm.name](T, D, size.hidden, len(YEARS), rng)
    one_hot = np.eye(D, dtype=np.float32)

    def loss(update: int) -> Tensor:
        x, y = year_sentences(rng, T, size.batch, seen)
        return ops.cross_entropy(model(one_hot[x]), y)

    def error(places: Sequence[int]) -> float:
        x, y = year_sentences(np.random.default_rng([seed, 1]), T, 500, places)
        with no_grad():
            return float((tensor(model(one_hot[x])).numpy().argmax(axis=1) != y).mean())

    assert rate is not None
    curve, _ = train(model.parameters(), loss, rate, size.updates, every=max(1, size.updates // 20))
    return {"score": error(seen), "seen": error(seen), "held out": error(list(held_out)), "curve": curve,
            "by place": [error([at]) for at in range(1, T)], "weights": model.count_parameters()}  # fmt: skip


def figures(results: Results) -> dict[str, Any]:
    places = np.arange(2, results.size.T + 1)
    curves = {arm: (places, np.mean(results.of(arm, "by place"), axis=0)) for arm in results.rates}
    T = results.size.T
    about = f"No year stood at places {T // 3 + 1} to {T - T // 3} while learning; chance is an error of 0.9."
    return {"places": curve_chart(curves, "Where the year stands, and how often it is misread", "place of the year",
                                  "share misread, mean", about=about)}  # fmt: skip


def _said(arm: str) -> Callable[[Results], str]:
    return lambda results: (f"error {results.median(arm, 'held out'):.3f} there, {results.median(arm, 'seen'):.3f} at "
                            "places that it knows")  # fmt: skip


EXPERIMENT = Experiment(
    title="I went to Russia in 2019; in 2019 I went to Russia",
    chapter="wirings",
    source="Goodfellow, Bengio & Courville 2016, chapter 10; the lectures on choosing a network by its data",
    about="Which year does a sentence of ten words name? While learning, years stand near its beginning and its end, "
    "never between; then they stand there too. A multilayer perceptron has weights of their own for each place, and "
    "those for years between have never been used. A convolutional or a recurrent network shares its weights. But a "
    "recurrent one answers at the end: what it has read must also reach the end in the same form from everywhere, "
    "which a cell state sees to; the state of a simple network is turned at each step, and arrives so on some seeds. "
    "The second claim, and that of the LSTM, were made when this was known, from seeds that do not count.",
    arms=tuple(Arm(name, (0.003, 0.01)) for name in MODELS),
    trial=trial,
    claims=(
        Claim("the simple RNN reads years where none ever stood", lambda seed: seed["RNN"]["held out"] < 0.1,
              "shares its weights over time; no figure", _said("RNN")),
        Claim("it misreads less than half of what the MLP does",
              lambda seed: seed["RNN"]["held out"] < seed["MLP"]["held out"] / 2, "no figure", _said("RNN")),
        Claim("the LSTM reads years where none ever stood", lambda seed: seed["LSTM"]["held out"] < 0.05,
              "shares its weights over time; no figure", _said("LSTM")),
        Claim("so does the CNN", lambda seed: seed["CNN"]["held out"] < 0.05,
              "shares its weights over places; no figure", _said("CNN")),
        Claim("the MLP reads them only where it saw them",
              lambda seed: seed["MLP"]["held out"] > 0.7 and seed["MLP"]["seen"] < 0.1,
              "must learn the language anew at each position; no figure", _said("MLP")),
    ),
    figures=figures,
    quick=Size(seeds=1, T=10, hidden=32, batch=32, updates=100),
    full=Size(seeds=5, pilots=1, T=10, hidden=32, batch=32, updates=600),
    seconds=15,
)  # fmt: skip
