"""A sequence in, an output in every step: labels of frames, the next character."""

from __future__ import annotations

from typing import Any

from ..module import Module
from ..recurrent import Recurrent
from .steps import each_step


class ManyToMany(Module):
    """`outputs, state = model(x)` for x (T, B, D) and outputs (T, B, C), paired: output t after input t.

    The last of the lectures' five wirings, and the first pattern of Goodfellow, Bengio and Courville ("Deep Learning",
    2016, figure 10.3): an output in each step, recurrence between hidden units; it can compute what a Turing machine
    can. The head acts on the last axis and is the same in every step.
    """

    def __init__(self, layer: Recurrent, head: Module) -> None:
        self.layer, self.head = layer, head

    def forward(self, x: Any, state: Any = None, mask: Any = None, offset: int = 0) -> tuple[Any, Any]:
        hs, state = self.layer(x, state, mask=mask, offset=offset)
        return each_step(self.head, hs, offset), state
