"""A recurrent network runs programs: it counts, copies and adds digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...data import Vocabulary, adding_digits, copying_digits, counting, pairs_of, spelled
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

CHARACTERS = Vocabulary("0123456789:+=.")
KINDS: dict[str, Callable[[np.random.Generator, Size], tuple[str, str]]] = {
    "counting": lambda rng, size: counting(rng, size.count),
    "copying": lambda rng, size: copying_digits(rng, size.length),
    "adding": lambda rng, size: adding_digits(rng, size.digits),
}


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train an LSTM to go on from a program to its answer; the share of programs, of those held out, that it runs
    without a mistake, and some of what it writes."""
    assert rate is not None
    rng = np.random.default_rng(seed)
    layer = nn.LSTM(len(CHARACTERS), size.hidden, rng=rng)
    head = nn.Linear(size.hidden, len(CHARACTERS), rng=rng)
    kind, reverse = KINDS[arm.settings["kind"]], arm.settings.get("reverse", False)

    def some(count: int, test: bool) -> list[tuple[str, str]]:
        return pairs_of(lambda: kind(rng, size), count, test)

    def loss(update: int) -> Tensor:
        x, y, mask = spelled(some(size.batch, False), CHARACTERS, reverse)
        return ops.sequence_loss(head(layer(x)[0]), y, "mean", mask)

    tests = some(500, True)
    x_test, y_test, asked = spelled(tests, CHARACTERS, reverse)

    def guesses() -> Any:
        """Its likeliest next characters: where all before are right, this is what it would write by itself."""
        with no_grad():
            return head(layer(x_test)[0]).numpy().argmax(axis=2)

    def wrong() -> float:
        return float(((guesses() != y_test) & asked).any(axis=0).mean())

    curve, _ = train([*layer.parameters(), *head.parameters()], loss, rate, size.updates, every=size.updates // 20,
                     check=wrong)  # fmt: skip
    best = guesses()
    written = [[program, answer, CHARACTERS.decode(best[asked[:, b], b]).rstrip(".")]
               for b, (program, answer) in enumerate(tests[:8])]  # fmt: skip
    return {"score": curve[-1][1], "right": 1 - curve[-1][1], "curve": curve, "written": written}


def figures(results: Results) -> dict[str, Any]:
    curves = {arm: ([u for u, _ in results.of(arm, "curve")[0]], [1 - w for _, w in results.of(arm, "curve")[0]])
              for arm in results.rates}  # fmt: skip
    lines = [f"{arm}: {program} gives {answer}, it writes {said}"
             for arm in results.rates for program, answer, said in results.of(arm, "written")[0]]  # fmt: skip
    return {"right": curve_chart(curves, "Programs run without a mistake, first seed", "update",
                                 "share of unseen programs"),
            "written": "\n".join(lines)}  # fmt: skip


def _told(*arms: str) -> Callable[[Results], str]:
    return lambda results: ", ".join(f"{arm} {results.median(arm, 'right'):.0%}" for arm in arms)


def _right(arm: str, share: float) -> Callable[[Any], bool]:
    return lambda seed: seed[arm]["right"] >= share


EXPERIMENT = Experiment(
    title="Running programs: counting, copying, adding digits",
    chapter="grammars",
    source="Zaremba & Sutskever 2014, sections 3 and 4; the lectures: a recurrent network is a program, learned",
    about="One LSTM reads a program character by character and writes what it prints: so many digits from one on, the "
    "same digits again, the sum of two numbers. A tenth of all programs is never trained on, and an answer counts only "
    "if it is right to the last character. Reading the program backwards brings its beginning near that of the answer.",
    arms=(
        Arm("counting", (0.003, 0.01), {"kind": "counting"}),
        Arm("copying", (0.003, 0.01), {"kind": "copying"}),
        Arm("copying, reversed", (0.003, 0.01), {"kind": "copying", "reverse": True}),
        Arm("adding", (0.003, 0.01), {"kind": "adding"}),
        Arm("adding, reversed", (0.003, 0.01), {"kind": "adding", "reverse": True}),
    ),
    trial=trial,
    claims=(
        Claim("it counts (95 % of unseen programs)", _right("counting", 0.95), "no figure", _told("counting")),
        Claim("it copies (90 %), one way or the other",
              lambda seed: _right("copying", 0.9)(seed) or _right("copying, reversed", 0.9)(seed),
              "Zaremba & Sutskever: reversing and doubling the input help", _told("copying", "copying, reversed")),
        Claim("it adds (90 %), one way or the other",
              lambda seed: _right("adding", 0.9)(seed) or _right("adding, reversed", 0.9)(seed),
              "Zaremba & Sutskever: 99 % of sums of 9 digits, with a curriculum", _told("adding", "adding, reversed")),
        Claim("copying is better reversed", lambda seed: seed["copying, reversed"]["right"] > seed["copying"]["right"],
              "Zaremba & Sutskever: reversal helps copying", _told("copying", "copying, reversed")),
        Claim("so is adding", lambda seed: seed["adding, reversed"]["right"] > seed["adding"]["right"], "no figure",
              _told("adding", "adding, reversed")),
    ),
    figures=figures,
    quick=Size(seeds=1, count=4, length=2, digits=1, hidden=16, batch=16, updates=40),
    full=Size(seeds=5, pilots=1, count=12, length=6, digits=2, hidden=64, batch=32, updates=1800),
    seconds=170,
)  # fmt: skip
