"""Memorisation by Hessian-free optimization, against first-order methods that do as much work."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn, optim
from ...core import Tensor
from ...data import memorisation
from ...nn import init
from ...ops import sequence_loss
from ...optim import HessianFree, Run
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

LENGTH, SOLVED = 5, 0.01  # bits; the share of sequences that may be wrong
Data = tuple[np.ndarray, np.ndarray]


class Task:
    """The network, begun as Martens and Sutskever begin it, and its loss."""

    def __init__(self, rng: np.random.Generator, size: Size) -> None:
        self.rng, self.size = rng, size
        self.rnn, self.head = nn.RNN(4, size.hidden, rng=rng), nn.Linear(size.hidden, 3, rng=rng)
        cell = self.rnn.layers[0].forward
        cell.W_hh.data = init.spectral_radius(init.sparse(cell.W_hh.shape, rng), 1.1)
        cell.W_xh.data = init.normal(cell.W_xh.shape, rng, 0.1)
        self.head.W.data = init.normal(self.head.W.shape, rng, 0.1)
        self.parameters = [*self.rnn.parameters(), *self.head.parameters()]
        self.test = self.draw(1000)

    def draw(self, batch: int) -> Data:
        return memorisation(self.rng, self.size.gap, batch, LENGTH)

    def run(self, data: Data) -> Run:
        hs, _ = self.rnn(data[0])
        return Run(self.head(hs), lambda y: sequence_loss(y, data[1], over_time="mean"), hs)

    def wrong(self) -> float:
        """The share of sequences of which a bit is wrong."""
        with no_grad():
            said = self.run(self.test).outputs.numpy().argmax(axis=2)
        return float((said != self.test[1])[-LENGTH:].any(axis=0).mean())


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Learn until `size.work` thousand sequences have gone forwards and backwards, or all is right."""
    task = Task(np.random.default_rng(seed), size)
    learn = _hessian_free(arm, task) if rate is None else _first_order(arm, rate, task)
    curve, work = [[0.0, task.wrong()]], 0.0
    while work < size.work and curve[-1][1] > SOLVED:
        work += next(learn) / 1000
        curve.append([round(work, 3), task.wrong()])
    return {"score": curve[-1][1], "wrong": curve[-1][1], "work": work, "curve": curve}


def _hessian_free(arm: Arm, task: Task) -> Any:
    """A step, and its work: a gradient is 1 for each sequence, a product with the curvature 4/3, as it is two backward
    passes, of two thirds each, and a run forwards 1/3."""
    size = task.size
    optimizer = HessianFree(task.parameters, 0.1, arm.settings["structural"], cg_steps=size.cg)
    while True:
        report = optimizer.step(task.run, task.draw(size.gradient), task.draw(size.curvature))
        yield size.gradient * (1 + report.runs / 3) + size.curvature * report.products * 4 / 3


def _first_order(arm: Arm, rate: float, task: Task) -> Any:
    """A hundred updates, and their work."""
    optimizer = {"adam": optim.Adam, "sgd": optim.SGD}[arm.settings["optimizer"]](task.parameters, lr=rate)
    while True:
        for _ in range(100):
            optimizer.zero_grad()
            run = task.run(task.draw(task.size.batch))
            loss: Tensor = run.loss(run.outputs)
            loss.backward()
            optim.clip_grad_norm(task.parameters, 1.0)
            optimizer.step()
        yield 100 * task.size.batch


def figures(results: Results) -> dict[str, Any]:
    curves = {arm: tuple(zip(*results.of(arm, "curve")[0], strict=True)) for arm in results.rates}
    return {"work": curve_chart({arm: (list(x), list(y)) for arm, (x, y) in curves.items()},
                                "Five bits remembered: Hessian-free and first order (first seed)",
                                "thousand sequences of work",
                                "share of sequences wrong", about="")}  # fmt: skip


def _solved(results: Results, arm: str) -> str:
    wrong = ", ".join(f"{w:.0%}" for w in sorted(results.of(arm, "wrong")))
    return f"wrong: {wrong}; work {results.median(arm, 'work'):.0f} thousand sequences (median)"


DAMPED, PLAIN = "HF, structural damping", "HF without"

EXPERIMENT = Experiment(
    title="Memorisation by Hessian-free optimization",
    chapter="learning",
    source="Martens & Sutskever 2011, sections 3 and 5; Sutskever 2013, chapter 3",
    about="Five bits are shown, twenty steps pass, and the bits are to be said. A plain tanh network, begun alike for "
    "all, and as much work for each: sequences that went forwards and backwards. Structural damping, which holds the "
    "hidden states, is what memorisation needs of Hessian-free. Who gets 99 % of the test sequences right stops. Both "
    "Hessian-free arms begin with a damping of 0.1; without the structural one the paper begins with 0.3.",
    arms=(
        Arm(DAMPED, settings={"structural": 1 / 30}),
        Arm(PLAIN, settings={"structural": 0.0}),
        Arm("Adam", (0.001, 0.003, 0.01), {"optimizer": "adam"}),
        Arm("SGD, clipped", (0.03, 0.1, 0.3), {"optimizer": "sgd"}),
    ),
    trial=trial,
    claims=(
        Claim("with structural damping it is solved (1 % wrong)", lambda seed: seed[DAMPED]["wrong"] <= SOLVED,
              "solved up to T = 200", lambda results: _solved(results, DAMPED)),
        Claim("without it is not, with the same work", lambda seed: seed[PLAIN]["wrong"] > SOLVED,
              "structural damping is essential for memorisation (there beyond T = 50)",
              lambda results: _solved(results, PLAIN)),
        Claim("SGD does not solve it with the same work", lambda seed: seed["SGD, clipped"]["wrong"] > SOLVED,
              "no figure: first order methods fail", lambda results: _solved(results, "SGD, clipped")),
        Claim("nor does Adam", lambda seed: seed["Adam"]["wrong"] > SOLVED,
              "no figure: Adam is younger than the paper", lambda results: _solved(results, "Adam")),
    ),
    figures=figures,
    quick=Size(seeds=1, gap=5, hidden=20, gradient=50, curvature=25, cg=15, batch=10, work=2),
    full=Size(seeds=5, pilots=1, gap=20, hidden=50, gradient=500, curvature=200, cg=100, batch=50, work=200),
    seconds=150,
)  # fmt: skip
