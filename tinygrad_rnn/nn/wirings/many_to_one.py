"""A sequence in, one output at its end: classification."""

from __future__ import annotations

from typing import Any

from ...ops.recurrent import MERGES
from ...recording import step
from ..module import Module
from ..recurrent import Recurrent
from .steps import first_of


class ManyToOne(Module):
    """`y = model(x)` for x (T, B, D) and y (B, C): what the head makes of the last state.

    The third of the lectures' five wirings, and the third pattern of Goodfellow, Bengio and Courville ("Deep Learning",
    2016, figure 10.5): recurrence between hidden units, and a single output at the end. With `mask (T, B)`, sequences
    have lengths of their own (`tg.data.pad`), and the last state is each one's own. Of a bidirectional layer, the last
    states of both directions, each of which has read all, are merged as its outputs are.
    """

    def __init__(self, layer: Recurrent, head: Module) -> None:
        self.layer, self.head = layer, head

    def forward(self, x: Any, state: Any = None, mask: Any = None, offset: int = 0) -> Any:
        _, state = self.layer(x, state, mask=mask, offset=offset)
        with step(offset + len(x) - 1):
            return self.head(last_hidden(self.layer, state))


def last_hidden(layer: Recurrent, state: Any) -> Any:
    """h (B, output_size) of the highest layer, both directions merged, from the state that `layer` gave."""
    if layer.bidirectional:
        return MERGES[layer.merge](first_of(state[-2]), first_of(state[-1]))
    return first_of(state[-1] if layer.num_layers > 1 else state)
