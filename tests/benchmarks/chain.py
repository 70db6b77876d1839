"""A long chain of operations costs what many short ones cost: forward, backward and deletion, collector paused."""

from __future__ import annotations

import gc
import statistics
import time
from typing import Any

SHORT, LONG = 10_000, 1_000_000


def rows(long: int = LONG, short: int = SHORT, rounds: int = 3) -> list[dict[str, Any]]:
    """Microseconds an operation, the long chain against the median of five short ones."""
    gc.disable()
    per_op(short)
    ours, peers = [], []
    for _ in range(rounds):
        peers.append(statistics.median(per_op(short) for _ in range(5)))
        ours.append(per_op(long))
    gc.enable()
    return [{"name": f"a chain of {long:,} operations", "peer": f"a chain of {short:,}", "ours": ours, "peers": peers,
             "unit": "µs/op", "at_most": 1.3}]  # fmt: skip


def per_op(n: int) -> float:
    """Microseconds."""
    import tinygrad_rnn as tg

    x = tg.tensor(1.0, requires_grad=True)
    start = time.perf_counter()
    y = x
    for _ in range(n):
        y = y * 1.0
    y.backward()
    del y
    took = time.perf_counter() - start
    assert x.grad is not None
    assert x.grad.item() == 1.0
    return took / n * 1e6
