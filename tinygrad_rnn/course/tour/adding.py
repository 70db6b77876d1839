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
from ..render.blocks import Part, Picture, Prose
from . import captions
from .clock import Clock
from .memory import Memory, lag_picture, ledger_picture, remember, to_look_into

LENGTH, HIDDEN, BATCH, CLIP = 100, 16, 32, 1.0
ELMAN, FIRST = "Elman", "LSTM bias 1"
RATES = {ELMAN: 0.003}  # of Adam; 0.03, 0.01, 0.003 and 0.001 leave an Elman network at an error of 0.155 alike, from
# two starts in 800 updates; an LSTM of bias 1 learns it at 0.03 in 500 to 650 of them
RATE, BETAS = 0.03, (0.9, 0.99)
SOLVED = 0.01  # mean squared error on sequences never seen: 17 times below what forgetting gives
EVERY = 50  # updates between two looks at it
Data = tuple[np.ndarray, np.ndarray]
Report = Callable[[str], None]


class Adder:
    """A layer and, at its last step, a readout.

    Two things make them learn in seconds: W_hh starts orthogonal, and the readout with the constant answer, the mean of
    the targets, 1.
    """

    def __init__(self, name: str, seed: int, device: str, forget_bias: float | None = None) -> None:
        rng = np.random.default_rng(seed)
        self.name, self.device = name, device
        self.layer: Any = (
            nn.RNN(2, HIDDEN, rng=rng, device=device)
            if forget_bias is None
            else nn.LSTM(2, HIDDEN, forget_bias=forget_bias, rng=rng, device=device)
        )
        cell = self.layer.layers[0].forward
        W_hh = nn.init.per_gate(nn.init.orthogonal, (HIDDEN, HIDDEN), cell.gates, rng)
        cell.W_hh.data = backend.to_device(W_hh, device)
        self.head = nn.Linear(HIDDEN, 1, device=device, rng=rng)
        self.head.b = tensor(np.ones(1, np.float32), requires_grad=True, device=device, name="b")
        self.parameters = self.layer.parameters() + self.head.parameters()
        self.rate = RATES.get(name, RATE)
        self.optimizer = optim.Adam(self.parameters, lr=self.rate, betas=BETAS)
        self.tests: list[tuple[int, float]] = []
        self.updates, self.seconds = 0, 0.0

    def update(self, x: np.ndarray, y: np.ndarray) -> None:
        self.optimizer.zero_grad()
        answer_loss(self.layer, self.head, x, y).backward()
        optim.clip_grad_norm(self.parameters, CLIP)
        self.optimizer.step()
        self.updates += 1

    def test(self, x: np.ndarray, y: np.ndarray) -> float:
        """The mean squared error on sequences that it did not learn from."""
        with no_grad():
            self.tests.append((self.updates, answer_loss(self.layer, self.head, x, y).item()))
        return self.tests[-1][1]

    def memory(self, x: np.ndarray, y: np.ndarray) -> Memory:
        layer, head = to_look_into(self.layer, self.head)
        return remember(answer_loss(layer, head, x.astype(float), y.astype(float)), layer.layers[0].forward.W_hh)

    @property
    def solved(self) -> int | None:
        """After how many updates the error was first small enough, None where it never was."""
        return next((n for n, error in self.tests if error < SOLVED), None)


def answer_loss(layer: Any, head: nn.Linear, x: np.ndarray, y: np.ndarray) -> Tensor:
    """The mean squared error of the answer after the last of x (T, B, 2), for sums y (B, 1)."""
    device = head.W.device
    outputs, _ = layer(tensor(x, device=device))
    loss: Tensor = ops.mse_loss(head(outputs[-1]), tensor(y, device=device))
    return loss


def adding_part(seed: int, seconds: float, device: str, report: Report) -> Part:
    """Each network in turn may use half of the time that is left, the last one all of it. The Elman network stops after
    as many updates as the first LSTM made: the same budget."""
    adders = {
        ELMAN: Adder(ELMAN, seed, device),
        **{f"LSTM bias {b:g}": Adder(f"LSTM bias {b:g}", seed, device, b) for b in (0.0, 1.0, 2.0)},
    }
    unseen = adding(np.random.default_rng(seed + 1), LENGTH, 256)
    few = adding(np.random.default_rng(seed + 2), LENGTH, 32)
    before = {name: each.memory(*few) for name, each in adders.items()}
    for each in adders.values():
        each.test(*unseen)
    order = [FIRST, ELMAN, "LSTM bias 2", "LSTM bias 0"]
    whole, most = Clock(seconds), None
    for name in order:
        left = max(0.0, seconds - whole.passed)
        learn(
            adders[name], unseen, seed, Clock(left if name == order[-1] else left / 2), most if name == ELMAN else None
        )
        most = adders[FIRST].updates
        report(_told(adders[name]))
    after = {name: each.memory(*few) for name, each in adders.items()}
    return _part(adders, before, after, seed)


def learn(adder: Adder, unseen: Data, seed: int, clock: Clock, updates: int | None = None) -> None:
    """Train until solved, the time is over or `updates` are done."""
    rng = np.random.default_rng(seed + 3)  # the same sequences for every network
    while clock and (updates is None or adder.updates < updates):
        adder.update(*adding(rng, LENGTH, BATCH))
        if adder.updates % EVERY == 0 and adder.test(*unseen) < SOLVED:
            break
    if adder.tests[-1][0] != adder.updates:
        adder.test(*unseen)
    adder.seconds = clock.passed


def _told(adder: Adder) -> str:
    n, error = adder.tests[-1]
    outcome = "learned to add" if adder.solved else "has not learned to add"
    return f"{adder.name} {outcome} after {n} updates (error {error:.4f})"


def _part(adders: dict[str, Adder], before: dict[str, Memory], after: dict[str, Memory], seed: int) -> Part:
    numbers: dict[str, Any] = {
        "seed": seed,
        "length": LENGTH,
        "hidden_size": HIDDEN,
        "batch_size": BATCH,
        "clip": CLIP,
        "solved_below": SOLVED,
        "error_without_memory": ADDING_WITHOUT_MEMORY,
        "models": {
            name: {
                "learning_rate": each.rate,
                "updates": each.updates,
                "seconds": each.seconds,
                "error": each.tests[-1][1],
                "solved": each.solved,
                "tests": each.tests,
                "before": before[name].numbers,
                "after": after[name].numbers,
            }
            for name, each in adders.items()
        },
    }
    part = Part("adding", "A task that needs memory", captions.adding_summary(numbers), numbers=numbers)
    curves = {name: ([n for n, _ in each.tests], [error for _, error in each.tests]) for name, each in adders.items()}
    errors = curve_chart(curves, f"Adding two of {LENGTH} numbers", "update", "mean squared error", True, about="")
    facts, later = ({name: m.facts for name, m in memories.items()} for memories in (before, after))
    part.blocks = [
        Prose(captions.adding_introduction(numbers)),
        Picture("adding_error", errors, captions.adding(numbers)),
        Picture(
            "adding_before", lag_picture(before, "Before the adding problem: the gradient by lag"), captions.lags(facts)
        ),
        Picture(
            "adding_after",
            lag_picture(after, "After the adding problem: the gradient by lag"),
            captions.adding_lags(facts, later, numbers),
        ),
        Picture(
            "adding_ledger",
            ledger_picture(after, "After the adding problem: which steps paid"),
            captions.ledgers(later),
        ),
    ]
    return part
