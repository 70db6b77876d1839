"""The adding problem: two numbers among a hundred must be remembered to the end. Nothing but long memory helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import backend, nn, ops, optim
from ...core import Tensor, tensor
from ...data import adding
from ...data.tasks import ADDING_WITHOUT_MEMORY
from ...pictures.charts import curve_chart
from ...recording import no_grad
from . import captions
from .memory import Memory, lag_picture, ledger_picture, remember
from .parts import Clock, Part, Picture, Prose

LENGTH, HIDDEN, BATCH, CLIP, FORGET_BIAS = 100, 16, 16, 1.0, 1.0
RATE, BETAS = 0.03, (0.9, 0.99)  # of Adam: bold, for there is no time to be careful
SOLVED = 0.01  # mean squared error on sequences never seen: 17 times below what forgetting gives
EVERY = 50  # updates between two looks at it
Report = Callable[[str], None]


class Adder:
    """A layer and, at its last step, a readout.

    Two things make them learn in seconds: W_hh starts orthogonal, and the readout with the constant answer, the mean of
    the targets, 1.
    """

    def __init__(self, layer: nn.RNN | nn.LSTM, seed: int, device: str) -> None:
        self.layer, self.device = layer, device
        rng, cell = np.random.default_rng(seed), layer.layers[0].forward
        cell.W_hh.data = backend.to_device(nn.init.per_gate(nn.init.orthogonal, (HIDDEN, HIDDEN), cell.gates, rng), device)
        self.head = nn.Linear(HIDDEN, 1, device=device, rng=rng)
        self.head.b = tensor(np.ones(1, np.float32), requires_grad=True, device=device, name="b")
        self.parameters = layer.parameters() + self.head.parameters()
        self.optimizer = optim.Adam(self.parameters, lr=RATE, betas=BETAS)
        self.losses: list[float] = []
        self.tests: list[tuple[int, float]] = []

    def loss(self, x: np.ndarray, y: np.ndarray) -> Tensor:
        outputs, _ = self.layer(tensor(x, device=self.device))
        return ops.mse_loss(self.head(outputs[-1]), tensor(y, device=self.device))

    def update(self, x: np.ndarray, y: np.ndarray) -> None:
        self.optimizer.zero_grad()
        loss = self.loss(x, y)
        loss.backward()
        optim.clip_grad_norm(self.parameters, CLIP)
        self.optimizer.step()
        self.losses.append(loss.item())

    def test(self, x: np.ndarray, y: np.ndarray) -> float:
        """The mean squared error on sequences that it did not learn from."""
        with no_grad():
            self.tests.append((len(self.losses), self.loss(x, y).item()))
        return self.tests[-1][1]

    def memory(self, x: np.ndarray, y: np.ndarray) -> Memory:
        return remember(self.loss(x, y), self.layer.layers[0].forward.W_hh)

    @property
    def solved(self) -> int | None:
        """After how many updates the error was first small enough, None where it never was."""
        return next((n for n, error in self.tests if error < SOLVED), None)


def adding_part(seed: int, seconds: float, device: str, report: Report) -> Part:
    """An LSTM until it has learned the task or two thirds of the time are gone, then an Elman network for as many
    updates, as far as the time allows."""
    options: dict[str, Any] = {"device": device}
    adders = {
        "LSTM": Adder(nn.LSTM(2, HIDDEN, forget_bias=FORGET_BIAS, rng=np.random.default_rng(seed), **options), seed, device),
        "Elman": Adder(nn.RNN(2, HIDDEN, rng=np.random.default_rng(seed), **options), seed, device),
    }
    unseen = adding(np.random.default_rng(seed + 1), LENGTH, 256)
    few = adding(np.random.default_rng(seed + 2), LENGTH, 32)
    before = {name: each.memory(*few) for name, each in adders.items()}
    spent = {"LSTM": learn(adders["LSTM"], unseen, seed, Clock(2 * seconds / 3))}
    report(_told("LSTM", adders["LSTM"]))
    updates = len(adders["LSTM"].losses)
    spent["Elman"] = learn(adders["Elman"], unseen, seed, Clock(max(seconds / 3, seconds - spent["LSTM"])), updates)
    report(_told("Elman", adders["Elman"]))
    after = {name: each.memory(*few) for name, each in adders.items()}
    return _part(adders, before, after, {"seed": seed, "seconds": spent})


def learn(adder: Adder, unseen: tuple[np.ndarray, np.ndarray], seed: int, clock: Clock, updates: int | None = None) -> float:
    """Train until solved, the time is over or `updates` are done; the seconds it took."""
    rng = np.random.default_rng(seed + 3)  # the same sequences for every network
    while clock and (updates is None or len(adder.losses) < updates):
        adder.update(*adding(rng, LENGTH, BATCH))
        if len(adder.losses) % EVERY == 0 and adder.test(*unseen) < SOLVED:
            break
    if not adder.tests or adder.tests[-1][0] != len(adder.losses):
        adder.test(*unseen)
    return clock.passed


def _told(name: str, adder: Adder) -> str:
    n, error = adder.tests[-1]
    return f"{name} on the adding problem: {'solved' if adder.solved else 'not solved'} after {n} updates (error {error:.4f})"


def _part(adders: dict[str, Adder], before: dict[str, Memory], after: dict[str, Memory], run: dict[str, Any]) -> Part:
    numbers: dict[str, Any] = {
        **run, "length": LENGTH, "hidden_size": HIDDEN, "batch_size": BATCH, "learning_rate": RATE, "clip": CLIP,
        "forget_bias": FORGET_BIAS, "solved_below": SOLVED, "error_without_memory": ADDING_WITHOUT_MEMORY,
        "models": {
            name: {"updates": len(each.losses), "error": each.tests[-1][1], "solved": each.solved,
                   "tests": each.tests, "before": before[name].numbers, "after": after[name].numbers}
            for name, each in adders.items()
        },
    }  # fmt: skip
    memories = {"Elman, before": before["Elman"], "Elman, after": after["Elman"],
                "LSTM, before": before["LSTM"], "LSTM, after": after["LSTM"]}  # fmt: skip
    part = Part("adding", "A task that needs memory", captions.adding_summary(numbers), numbers=numbers)
    curves = {name: ([0, *(n for n, _ in each.tests)], [before_error(each), *(e for _, e in each.tests)])
              for name, each in sorted(adders.items())}  # fmt: skip
    facts = {name: (before[name].facts, after[name].facts) for name in ("Elman", "LSTM")}
    part.blocks = [
        Prose(captions.adding_introduction(numbers)),
        Picture("adding_error", curve_chart(curves, f"Adding two of {LENGTH} numbers", "update", "mean squared error", True, about=""),
                captions.adding(numbers)),
        Picture("adding_lags", lag_picture(memories, "The adding problem: the gradient by lag"), captions.adding_lags(facts, numbers)),
        Picture("adding_ledger", ledger_picture(memories, "The adding problem: which steps paid"),
                captions.ledgers({name: m.facts for name, m in memories.items()})),
    ]  # fmt: skip
    return part


def before_error(adder: Adder) -> float:
    """The first batch's loss, before any update."""
    return adder.losses[0]
