"""Trees against chains: nested expressions, read along their brackets or put together along their tree."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...data import pad
from ...data.tasks import boolean, expressions
from ...data.tasks.trees import symbols_of
from ...nn.wirings import balanced, chain, nonlinear_depth
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

ALGEBRA = boolean()
LENGTHS = (4, 8, 16, 32, 64)


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train on expressions no deeper than `size.depth`; the share of right values, by depth, of new ones up to
    `size.deepest`."""
    rng = np.random.default_rng(seed)
    reader = arm.settings["reader"](ALGEBRA, size.hidden, rng)
    head = nn.Linear(size.hidden, ALGEBRA.values, rng=rng)
    shallow = [draw(rng, depth, size.learned) for depth in range(1, size.depth + 1)]
    trees = [tree for some, _ in shallow for tree in some]
    values = np.concatenate([v for _, v in shallow])
    tests = {depth: draw(rng, depth, 400) for depth in range(1, size.deepest + 1)}

    def loss(update: int) -> Tensor:
        rows = rng.integers(0, len(trees), size.batch)
        return ops.cross_entropy(head(reader([trees[i] for i in rows])), values[rows])

    def right(depth: int) -> float:
        some, answers = tests[depth]
        with no_grad():
            return float((head(reader(some)).numpy().argmax(axis=1) == answers).mean())

    def wrong() -> float:
        return 1 - float(np.mean([right(depth) for depth in range(1, size.depth + 1)]))

    assert rate is not None
    curve, _ = train([*reader.parameters(), *head.parameters()], loss, rate, size.updates,
                     every=max(1, size.updates // 10), check=wrong)  # fmt: skip
    by_depth = {depth: right(depth) for depth in tests}
    return {
        "score": curve[-1][1],
        "curve": curve,
        "depths": list(by_depth),
        "right": list(by_depth.values()),
        "learned": float(np.mean([share for depth, share in by_depth.items() if depth <= size.depth])),
        "deeper": float(np.mean([share for depth, share in by_depth.items() if depth > size.depth])),
        "chain depth": [_depth(chain, n) for n in LENGTHS],
        "tree depth": [_depth(balanced, n) for n in LENGTHS],
    }


def draw(rng: np.random.Generator, depth: int, count: int) -> tuple[list[Any], np.ndarray]:
    """`count` expressions of this depth, as trees, and their values (count,)."""
    return expressions(rng, ALGEBRA, depth, count)


class Chain(nn.Module):
    """The expression as a line of symbols with brackets, read by a recurrent layer; its last state."""

    def __init__(self, layer: nn.Recurrent) -> None:
        self.layer = layer

    def forward(self, trees: list[Any]) -> Any:
        x, mask = pad([symbols_of(tree, ALGEBRA) for tree in trees])
        _, state = self.layer(x, mask=mask)
        return state[0] if isinstance(state, tuple) else state


def _depth(shape: Any, symbols: int) -> int:
    """The nonlinearities between a symbol and the root, counted on the graph that was recorded."""
    return nonlinear_depth(nn.RecursiveNetwork(2, 2, rng=0)([shape([0, 1] * (symbols // 2))]))


def tree(algebra: Any, hidden: int, rng: np.random.Generator) -> nn.Module:
    """A recursive network: trees to the states of their roots (B, hidden)."""
    return nn.RecursiveNetwork(algebra.symbols, hidden, rng=rng)


def elman(algebra: Any, hidden: int, rng: np.random.Generator) -> nn.Module:
    """Elman's network along the line of symbols; two more of them are the brackets."""
    return Chain(nn.RNN(algebra.symbols + 2, hidden, rng=rng))


def lstm(algebra: Any, hidden: int, rng: np.random.Generator) -> nn.Module:
    """An LSTM along the same line."""
    return Chain(nn.LSTM(algebra.symbols + 2, hidden, rng=rng))


def figures(results: Results) -> dict[str, Any]:
    depths = np.array(results.of("tree", "depths")[0], float)
    shares = {arm: (depths, np.mean(results.of(arm, "right"), axis=0)) for arm in results.rates}
    one = results.seeds[0]["tree"]
    measured = {"chain": (LENGTHS, one["chain depth"]), "balanced tree": (LENGTHS, one["tree depth"])}
    return {
        "by_depth": curve_chart(shares, f"Nested expressions, learned to depth {results.size.depth}", "depth",
                                "share of right values (mean)"),
        "nonlinearities": curve_chart(measured, "Nonlinearities from a symbol to the root", "symbols",
                                      "tanh, counted on the graph"),
    }  # fmt: skip


def _shares(key: str) -> Any:
    return lambda results: ", ".join(f"{arm} {results.median(arm, key):.1%}" for arm in results.rates) + " (medians)"


EXPERIMENT = Experiment(
    title="Trees against chains",
    chapter="wirings",
    source="the lecture's page on recursive networks; Goodfellow, Bengio & Courville 2016, section 10.6; Bowman, Potts "
    "& Manning 2015, section 4",
    about="Expressions of and, or and exclusive or are evaluated by a recursive network along their tree, and by an "
    "Elman network and an LSTM that read them, with their brackets, from left to right. All learn from shallow ones; "
    "those in the test are deeper. Of depth 1 there are twelve, so of those learned depths some are the same again.",
    arms=(Arm("tree", (0.003, 0.01), {"reader": tree}), Arm("Elman", (0.003, 0.01), {"reader": elman}),
          Arm("LSTM", (0.003, 0.01), {"reader": lstm})),
    trial=trial,
    claims=(
        Claim("the tree is right about deeper expressions (95 %)", lambda seed: seed["tree"]["deeper"] > 0.95,
              "recursive networks \"generalize well\" to longer expressions (Bowman et al.); no figure",
              _shares("deeper")),
        Claim("and more often than both chains (by 5 %)", lambda seed: seed["tree"]["deeper"]
              > max(seed["Elman"]["deeper"], seed["LSTM"]["deeper"]) + 0.05,
              "no figure: \"the depth can be drastically reduced\"", _shares("deeper")),
        Claim("of depth that it has learned, the LSTM is right too (90 %)",
              lambda seed: seed["LSTM"]["learned"] > 0.9, "no figure", _shares("learned")),
        Claim("a balanced tree of tau symbols is O(log tau) deep, a chain tau",
              lambda seed: seed["tree"]["chain depth"] == list(LENGTHS)
              and seed["tree"]["tree depth"] == [int(np.log2(n)) + 1 for n in LENGTHS],
              "from tau to O(log tau) (the lecture)",
              lambda results: f"{LENGTHS[-1]} symbols: {results.of('tree', 'chain depth')[0][-1]} and "
                              f"{results.of('tree', 'tree depth')[0][-1]} tanh"),
    ),
    figures=figures,
    quick=Size(seeds=1, depth=2, deepest=4, learned=50, hidden=12, batch=16, updates=40),
    full=Size(seeds=5, pilots=1, depth=3, deepest=6, learned=400, hidden=32, batch=32, updates=800),
    seconds=60,
)  # fmt: skip
