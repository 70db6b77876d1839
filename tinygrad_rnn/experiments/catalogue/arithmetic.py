"""Eight cells do sums: which part of an LSTM can be left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...data import Vocabulary, arithmetic, pairs_of, spelled
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

CHARACTERS = Vocabulary("0123456789+-=.abcdefghijk")
OPEN = 40.0  # the bias of a gate that is left out: sigmoid(40) is 1 and its derivative 0, so it is open for ever
GATES = "ifo"
CELLS: dict[str, tuple[Any, dict[str, Any]]] = {
    "tanh": (nn.RNN, {}), "LSTM": (nn.LSTM, {"forget_bias": 0.0}), "LSTM-f": (nn.LSTM, {}), "LSTM-i": (nn.LSTM, {}),
    "LSTM-o": (nn.LSTM, {}), "LSTM-b": (nn.LSTM, {"forget_bias": 1.0}), "GRU": (nn.GRU, {}),
    "MUT1": (nn.Recurrent, {"cell": nn.MUT1Cell, "project": "learned"}),
}  # fmt: skip
PAPER = {"tanh": 0.295, "LSTM": 0.892, "LSTM-f": 0.293, "LSTM-i": 0.751, "LSTM-o": 0.867, "LSTM-b": 0.902,
         "GRU": 0.896, "MUT1": 0.921}  # fmt: skip


def layer_of(name: str, size: int, rng: np.random.Generator) -> Any:
    """A layer of `size` units of the cell of this name, for one-hot characters."""
    kind, options = CELLS[name]
    layer = kind(len(CHARACTERS), size, rng=rng, **({"forget_bias": 0.0} if name[:5] == "LSTM-" else {}) | options)
    if name[-1] in GATES:  # the same as without that gate, and as fast as with it
        k = GATES.index(name[-1])
        layer.layers[0].forward.b_h.data[k * size : (k + 1) * size] = OPEN
    return layer


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train on sums of up to `size.digits` digits among letters; the share of the answers' characters that are right,
    on sums that were held out."""
    assert rate is not None
    rng = np.random.default_rng(seed)
    layer = layer_of(arm.name, size.hidden, rng)
    head = nn.Linear(size.hidden, len(CHARACTERS), rng=rng)

    def batch(count: int, test: bool) -> tuple[Any, Any, Any]:
        return spelled(pairs_of(lambda: arithmetic(rng, size.digits, size.distractors), count, test), CHARACTERS)

    def loss(update: int) -> Tensor:
        x, y, mask = batch(size.batch, False)
        return ops.sequence_loss(head(layer(x)[0]), y, "mean", mask)

    x_test, y_test, asked = batch(500, True)

    def wrong() -> float:
        with no_grad():
            guesses = head(layer(x_test)[0]).numpy().argmax(axis=2)
        return float((guesses != y_test)[asked].mean())

    curve, _ = train([*layer.parameters(), *head.parameters()], loss, rate, size.updates, every=size.updates // 20,
                     check=wrong)  # fmt: skip
    last = curve[-3:]  # a mean, as the curve is jagged
    score = sum(value for _, value in last) / len(last)
    return {"score": score, "accuracy": 1 - score, "curve": curve}


def figures(results: Results) -> dict[str, Any]:
    curves = {arm: ([u for u, _ in results.of(arm, "curve")[0]], [1 - w for _, w in results.of(arm, "curve")[0]])
              for arm in results.rates}  # fmt: skip
    return {"accuracy": curve_chart(curves, "Sums among letters, first seed", "update",
                                    "share of right characters, of texts held out")}


def _told(*arms: str) -> Callable[[Results], str]:
    return lambda results: ", ".join(f"{arm} {results.median(arm, 'accuracy'):.3f}" for arm in arms)


def _paper(*arms: str) -> str:
    return ", ".join(f"{arm} {PAPER[arm]:.3f}" for arm in arms)


def _better(better: str, worse: str, by: float) -> Callable[[Any], bool]:
    return lambda seed: seed[better]["accuracy"] > seed[worse]["accuracy"] + by


EXPERIMENT = Experiment(
    title="Sums among letters, by eight cells",
    chapter="cells",
    source="Jozefowicz, Zaremba & Sutskever 2015, section 4, table 1",
    about="A cell reads 3e36d9-h1h39f94eeh43keg3c= and writes the difference, character by character. That has eight "
    "digits; ours have one, a size at which all cells learn something in a minute, and few gaps to keep things across. "
    "Held out are texts: the same sum has come up among other letters. LSTM-f, -i and -o lack a gate; LSTM-b is the "
    "LSTM whose forget bias starts at 1, and all others start at 0. All have the same units and updates.",
    arms=tuple(Arm(name, (0.01, 0.03)) for name in CELLS),
    trial=trial,
    claims=(
        Claim("the LSTM is better than tanh (by 0.05)", _better("LSTM", "tanh", 0.05),
              _paper("LSTM", "tanh") + " (8 digits, as all below)",
              _told("LSTM", "tanh")),
        Claim("without its forget gate it is hardly better than tanh (by 0.05)",
              lambda seed: not _better("LSTM-f", "tanh", 0.05)(seed), _paper("LSTM-f", "tanh"),
              _told("LSTM-f", "tanh")),
        Claim("the input gate matters less: LSTM-i beats LSTM-f", _better("LSTM-i", "LSTM-f", 0.0),
              _paper("LSTM-i", "LSTM-f"), _told("LSTM-i", "LSTM-f")),
        Claim("a forget bias of 1 helps", _better("LSTM-b", "LSTM", 0.0), _paper("LSTM-b", "LSTM"),
              _told("LSTM-b", "LSTM")),
        Claim("the GRU beats the LSTM", _better("GRU", "LSTM", 0.0), _paper("GRU", "LSTM"), _told("GRU", "LSTM")),
        Claim("MUT1 beats both", lambda seed: _better("MUT1", "GRU", 0)(seed) and _better("MUT1", "LSTM", 0)(seed),
              _paper("MUT1", "GRU", "LSTM"), _told("MUT1", "GRU", "LSTM")),
    ),
    figures=figures,
    quick=Size(seeds=1, digits=1, distractors=1, hidden=16, batch=20, updates=40),
    full=Size(seeds=5, pilots=1, digits=1, distractors=2, hidden=32, batch=20, updates=1200),
    seconds=150,
)  # fmt: skip
