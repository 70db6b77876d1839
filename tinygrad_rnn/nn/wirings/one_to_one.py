"""One input, one output: a network without time."""

from __future__ import annotations

from typing import Any

from ...recording import step
from ..module import Module
from .steps import Recurrence, one_step


class OneToOne(Module):
    """`y = model(x)` for x (B, D) and y (B, C): one step from the zero state, so that nothing is remembered.

    The first of the five wirings of the lectures (A. Karpathy, "The Unreasonable Effectiveness of Recurrent Neural
    Networks", 2015), which is a feed-forward network with one hidden layer.
    """

    def __init__(self, recurrence: Recurrence, head: Module) -> None:
        self.recurrence, self.head = recurrence, head

    def forward(self, x: Any) -> Any:
        with step(0):
            return self.head(one_step(self.recurrence, x, None)[0])
