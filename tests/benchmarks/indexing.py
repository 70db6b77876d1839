"""Reading `X[t]` step by step stays linear in T: the gradients add into one buffer for X (T, 16, 32). Collector
paused."""

from __future__ import annotations

import gc
import statistics
import time
from typing import Any

import numpy as np

SHORT, LONG = 64, 4096


def rows(long: int = LONG, short: int = SHORT, rounds: int = 5) -> list[dict[str, Any]]:
    """Microseconds for `X[t].sum()` and its gradient at long T, against short T."""
    gc.disable()
    for T in (short, long):
        per_step(T)
    ours, peers = [], []
    for _ in range(rounds):
        peers.append(statistics.median(per_step(short) for _ in range(10)))
        ours.append(per_step(long))
    gc.enable()
    return [{"name": f"indexing X[t], T={long}", "peer": f"T={short}", "ours": ours, "peers": peers,
             "unit": "µs/step"}]  # fmt: skip


def per_step(T: int) -> float:
    """Microseconds."""
    import tinygrad_rnn as tg

    X = tg.tensor(np.ones((T, 16, 32), np.float32), requires_grad=True)
    start = time.perf_counter()
    total = 0.0
    for t in range(T):
        total = total + X[t].sum()
    total.backward()
    took = time.perf_counter() - start
    assert X.grad is not None
    return took / T * 1e6
