"""One input, a sequence of outputs: generation, such as captions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import backend, ops
from ...core import Tensor, raw
from ...recording import step
from ..module import Module
from .steps import Recurrence, one_step

THEN = ("nothing", "again", "output")


class OneToMany(Module):
    """`outputs, state = model(x, steps=T)` for x (B, D) and outputs (T, B, C).

    `then` says what comes in after the first step: "nothing", zeros, so that the state has to remember; "again", the
    same x in every step; "output", what `feed` makes of the output of the step before (itself by default), which must
    have the width of x. The second of the five wirings of the lectures; the other ways to inject are those of
    captioning (O. Vinyals et al., "Show and Tell", 2015: the image comes in once).
    """

    def __init__(self, recurrence: Recurrence, head: Module, then: str = "nothing",
                 feed: Callable[[Any], Any] = lambda y: y) -> None:  # fmt: skip
        if then not in THEN:
            raise ValueError(f'OneToMany: then is "nothing", "again" or "output", not {then!r}')
        self.recurrence, self.head, self.then, self.feed = recurrence, head, then, feed

    def forward(self, x: Any, steps: int, state: Any = None) -> tuple[Any, Any]:
        if steps < 1:
            raise ValueError(f"OneToMany: steps must be at least 1, not {steps}")
        x_t, outputs = x, []
        nothing = Tensor(backend.xp(raw(x)).zeros_like(raw(x)))
        for t in range(steps):
            with step(t):
                h, state = one_step(self.recurrence, x_t, state)
                outputs.append(self.head(h))
            if self.then != "again":
                x_t = nothing if self.then == "nothing" else self.feed(outputs[-1])
        return ops.stack(outputs), state
