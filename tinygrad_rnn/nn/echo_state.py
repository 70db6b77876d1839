"""Running an echo state network: a reservoir driven by inputs, by a teacher, or by its own read-out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..backend import Array, xp
from ..core import Tensor, raw
from ..recording import no_grad
from .cells import Cell


class EchoState:
    """A cell that does not learn, and the three ways to drive it (Jaeger 2001; Lukosevicius 2012).

    Of the columns of the cell's x (B, D), the last `feedback` are the network's own output at the step before, the
    others come from outside. What learns is a read-out of the states, in closed form:

        net = nn.EchoState(cell, feedback=1)
        states, h = net.states(teacher=y[:-1])                     # training: the output fed back is the teacher's
        readout = optim.Ridge(states, y[1:], washout=100).readout(1e-8)
        outputs, h = net.generate(readout, y[-1], h, steps=84)     # a free run: it is the network's own

    Sequences are time-major (T, B, columns); nothing is recorded. The state is that of the cell, h (B, N) or (h, c), of
    which h is read out. Raises ValueError where columns or lengths do not fit.
    """

    def __init__(self, cell: Cell, feedback: int = 0) -> None:
        if not 0 <= feedback <= cell.input_size:
            raise ValueError(f"EchoState: feedback is how many of the cell's {cell.input_size} inputs are outputs fed "
                             f"back, not {feedback}")  # fmt: skip
        self.cell, self.feedback = cell, feedback

    def states(self, u: Any = None, teacher: Any = None, state: Any = None) -> tuple[Array, Any]:
        """The states (T, B, N) that inputs `u` (T, B, D - feedback) and outputs `teacher` (T, B, feedback) drive it
        through from `state` (zero), and the last state. `teacher[t]` is the output fed back at step t: the target one
        step before."""
        given = [a for a in (self._checked("u", u, self.cell.input_size - self.feedback),
                             self._checked("teacher", teacher, self.feedback)) if a is not None]  # fmt: skip
        if len({len(a) for a in given}) != 1 or not len(given[0]):
            raise ValueError(f"EchoState: u and teacher have {' and '.join(str(len(a)) for a in given) or 'no'} steps: "
                             "give as many of both, at least 1")  # fmt: skip
        x = given[0] if len(given) == 1 else xp(given[0]).concatenate(given, axis=-1)
        states = []
        with no_grad():
            for x_t in x:
                state = self.cell(x_t, state)
                states.append(raw(_read(state)))
        return xp(states[0]).stack(states), state

    def generate(self, readout: Callable[[Array], Array], y: Any, state: Any, u: Any = None,
                 steps: int | None = None) -> tuple[Array, Any]:  # fmt: skip
        """A free run: outputs (steps, B, feedback), each `readout(h)` (B, feedback) of the state that the one before
        led to, beginning with `y` (B, feedback) from `state`; and the last state. With inputs from outside, `u`
        (steps, B, D - feedback), which is how many steps there are."""
        y = raw(y)
        if not self.feedback or tuple(y.shape[1:]) != (self.feedback,):
            raise ValueError(f"EchoState: a free run begins with y (B, {self.feedback}), what is fed back, not "
                             f"{tuple(y.shape)}; without feedback there is none: use states")  # fmt: skip
        u = self._checked("u", u, self.cell.input_size - self.feedback)
        if u is not None and steps not in (None, len(u)):
            raise ValueError(f"EchoState: a free run of {steps} steps with inputs u for {len(u)}: u says how many")
        outputs = []
        with no_grad():
            for t in range(len(u) if u is not None else steps or 0):
                x_t = y if u is None else xp(y).concatenate([u[t], y], axis=-1)
                state = self.cell(xp(y).asarray(x_t, dtype=self.cell.W_xh.dtype), state)
                y = readout(raw(_read(state)))
                outputs.append(y)
        if not outputs:
            raise ValueError("EchoState: a free run of no steps: give steps, or inputs u")
        return xp(y).stack(outputs), state

    def _checked(self, name: str, a: Any, columns: int) -> Any:
        a = None if a is None else raw(a)
        if (a is None) != (columns == 0) or (a is not None and (a.ndim != 3 or a.shape[2] != columns)):
            got = "none" if a is None else str(tuple(a.shape))
            raise ValueError(f"EchoState: {name} must be (T, B, {columns}) for a cell with {self.cell.input_size} "
                             f"inputs, {self.feedback} of them fed back, not {got}"
                             if columns else f"EchoState: no column of x is left for {name}, {got}")  # fmt: skip
        return None if a is None else xp(a).asarray(a, dtype=self.cell.W_xh.dtype)


def _read(state: Any) -> Any:
    return state if isinstance(state, Tensor) or not isinstance(state, (tuple, list)) else state[0]
