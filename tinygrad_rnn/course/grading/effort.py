"""How much work a computation was, in units that compare between machines: a fixed loop of small NumPy products."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np


def seconds(call: Callable[[], Any], repeats: int = 3) -> float:
    """The quickest of `repeats` calls."""
    best = float("inf")
    for _ in range(repeats):
        start = perf_counter()
        call()
        best = min(best, perf_counter() - start)
    return best


def unit() -> float:
    """Seconds that this machine takes for a hundred small products, each with a tanh: a forward pass of a lesson."""
    weights, state = np.full((16, 16), 0.01), np.ones((4, 16))

    def loop() -> None:
        h = state
        for _ in range(100):
            h = np.tanh(h @ weights)

    return seconds(loop)
