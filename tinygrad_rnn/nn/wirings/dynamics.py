"""A dynamical system, and a network without outputs: the same function in every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...recording import step


def dynamical_system(f: Callable[..., Any], state: Any, inputs: Any = None, steps: int | None = None,
                     offset: int = 0) -> list[Any]:  # fmt: skip
    """The states that follow `state`, one a step: s(t) = f(s(t-1)), or with inputs h(t) = f(h(t-1), x(t)), unfolded.

    Goodfellow, Bengio and Courville ("Deep Learning", 2016), equations 10.1 to 10.5: the function and its parameters
    are the same at every step, whatever the length; with inputs, their figure 10.2, a network without outputs. Each
    application is recorded under `tg.step(offset + t)`. Raises ValueError unless inputs or a number of steps, and not
    both, say how often.

    >>> dynamical_system(lambda s: 2 * s + 1, 0, steps=3)  # the last is f(f(f(0)))
    [1, 3, 7]
    >>> dynamical_system(lambda h, x: 10 * h + x, 0, inputs=[4, 2])
    [4, 42]
    """
    if (inputs is None) == (steps is None):
        raise ValueError("dynamical_system: give inputs=, one a step, or steps=, how many there are, and not both")
    states = []
    for t, arguments in enumerate([()] * (steps or 0) if inputs is None else [(x,) for x in inputs]):
        with step(offset + t):
            state = f(state, *arguments)
        states.append(state)
    return states
