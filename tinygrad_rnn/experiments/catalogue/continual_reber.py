"""Strings that never end: a stream of embedded Reber strings, with a forget gate and without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor, tensor
from ...data import reber_stream
from ...data.tasks import REBER
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

WITH, WITHOUT = "forget gate", "no forget gate"


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Read `size.batch` streams in chunks, the state carried on; then fresh streams, without a reset."""
    rng = np.random.default_rng(seed)
    layer: nn.Recurrent = nn.LSTM(len(REBER), size.hidden, rng=rng)
    if arm.name == WITHOUT:
        layer = nn.Recurrent(len(REBER), size.hidden, cell=nn.LSTMVariantCell, variant="LSTM-f", rng=rng)
    head = nn.Linear(size.hidden, len(REBER), rng=rng)
    streams = reber_stream(rng, size.chunk * size.updates, size.batch)
    state: Any = None

    def loss(update: int) -> Tensor:
        nonlocal state
        chunk = slice((update - 1) * size.chunk, update * size.chunk)
        outputs, last = layer(tensor(streams.x[chunk]), state)
        state = nn.detach(last)
        return ops.sequence_loss(head(outputs), streams.y[chunk], over_time="mean")

    assert rate is not None
    curve, _ = train([*layer.parameters(), *head.parameters()], loss, rate, size.updates, every=size.updates // 20)
    return _read(layer, head, reber_stream(rng, size.length, 10)) | {"curve": curve}


def _read(layer: nn.Recurrent, head: nn.Linear, streams: Any) -> Outcome:
    """How often the outer symbol, T or P after an E, is right; the symbols between mistakes; and what grows."""
    state, right, norms = None, [], []
    with no_grad():
        for x in streams.x:
            h, c = state = layer.layers[0].forward(tensor(x), state)
            right.append(head(h).numpy())
            norms.append(float(np.linalg.norm(c.numpy(), axis=1).mean()))
    logits = np.array(right)
    after_end = streams.x.argmax(axis=2) == REBER.index("E")
    outer = after_end & (streams.legal.sum(axis=2) == 1) & (streams.y != REBER.index("B"))
    legal = np.where(streams.legal, logits, np.inf).min(axis=2) > np.where(streams.legal, -np.inf, logits).max(axis=2)
    mistakes = int((~legal).sum())
    share = float((logits.argmax(axis=2) == streams.y)[outer].mean())
    return {"score": 1 - share, "outer": share, "between": legal.size / (mistakes + 1), "norm": norms[-1],
            "norms": np.round(norms[:: max(1, len(norms) // 200)], 3)}  # fmt: skip


def figures(results: Results) -> Mapping[str, Any]:
    curves = {}
    for arm in (WITH, WITHOUT):
        norms = results.of(arm, "norms")[0]
        curves[arm] = (np.linspace(0, results.size.length, len(norms)), norms)
    title = "The cell state while a stream is read, first seed"
    return {"norms": curve_chart(curves, title, "symbols read", "norm of c", about="")}


def _said(arm: str) -> Callable[[Results], str]:
    def said(results: Results) -> str:
        between = results.median(arm, "between")
        return f"{results.median(arm, 'outer'):.1%} of outer symbols; a mistake every {between:,.0f} symbols"

    return said


EXPERIMENT = Experiment(
    title="A stream of embedded Reber strings: learning to forget",
    chapter="grammars",
    source="Gers, Schmidhuber & Cummins 2000, section 4, table 2",
    about="Embedded Reber strings follow each other without a sign that one has ended but its own last symbol, and the "
    "state is never reset. Without a forget gate the cell state only grows, and what was kept for one string is in the "
    "way of the next.",
    arms=(Arm(WITH, (0.005, 0.01, 0.02)), Arm(WITHOUT, (0.003, 0.005, 0.01))),
    trial=trial,
    claims=(
        Claim("with a forget gate, 95 % of outer symbols are right", lambda seed: seed[WITH]["outer"] > 0.95,
              "18 % of nets perfect and 29 % good (over 1000 symbols); 62 % with a falling rate", _said(WITH)),
        Claim("without one, fewer are (by 2 %)", lambda seed: seed[WITHOUT]["outer"] < seed[WITH]["outer"] - 0.02,
              "0 % perfect, 1 % good: a mistake after 37 symbols on average", _said(WITHOUT)),
        Claim("without one the cell state ends ten times as large",
              lambda seed: seed[WITHOUT]["norm"] > 10 * seed[WITH]["norm"],
              "cell states grow without bound", lambda results: f"norm {results.median(WITHOUT, 'norm'):.0f} against "
              f"{results.median(WITH, 'norm'):.0f} at the end"),
    ),
    figures=figures,
    quick=Size(seeds=1, hidden=12, batch=8, chunk=20, updates=40, length=200),
    full=Size(seeds=5, pilots=1, hidden=16, batch=16, chunk=25, updates=1500, length=3000),
    seconds=150,
)  # fmt: skip
