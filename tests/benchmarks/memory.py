"""Peak memory and time of full BPTT through long sequences: plain, and in checkpointed segments of sqrt(T) steps.

An LSTM, B=4, H=64, D=32, with NumPy alone, a linear head and a loss at each step, float32, forward and backward.
Peaks are tracemalloc's, to which NumPy reports every buffer, and include the data and the model. Each number is
measured in a process of its own, because tracemalloc slows what it traces.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

B, H, D = 4, 64, 32
MODES = ("plain", "segments")
LIMITS = {"memory": 0.15, "time": 1.6}  # segments / plain


def work(mode: str, T: int, kernel: str) -> Callable[[], float]:
    """A closure that sends the gradient of one sequence back to all parameters, and gives the loss."""
    import tinygrad_rnn as tg

    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(T, B, D)).astype(np.float32), rng.integers(0, D, (T, B))
    lstm, head = tg.nn.LSTM(D, H, kernel=kernel, rng=rng), tg.nn.Linear(H, D, rng=rng)

    def segment(x: Any, y: Any, state: Any, t0: int) -> tuple[Any, Any]:
        outputs, state = lstm(x, state, offset=t0)
        return tg.sequence_loss(head(outputs), y), state

    def once() -> float:
        if mode == "plain":
            loss, _ = segment(X, Y, None, 0)
        else:
            losses, _ = tg.checkpoint_segments(segment, (X, Y))
            loss = sum(losses)
        for p in (*lstm.parameters(), *head.parameters()):
            p.grad = None
        loss.backward()
        return loss.item()

    return once


def measure(what: str, mode: str, T: int, kernel: str, runs: int = 5) -> dict[str, float]:
    """In this process: `what` is "peak" (MB, of one run) or "ms" (the median of `runs`); and the loss."""
    if what == "peak":
        import tinygrad_rnn  # noqa: F401 (its own import is not what is measured)

        tracemalloc.start()
        loss = work(mode, T, kernel)()
        return {"loss": loss, "peak": tracemalloc.get_traced_memory()[1] / 1e6}
    once, times = work(mode, T, kernel), []
    loss = once()
    for _ in range(runs):
        start = time.perf_counter()
        once()
        times.append(time.perf_counter() - start)
    return {"loss": loss, "ms": statistics.median(times) * 1e3}


def in_process(what: str, mode: str, T: int, kernel: str) -> dict[str, float]:
    """`measure` in a fresh process."""
    call = f"measure({what!r}, {mode!r}, {T}, {kernel!r})"
    code = f"import json; from tests.benchmarks.memory import measure; print(json.dumps({call}))"
    alone = os.environ | {"TINYGRAD_RNN_FAST": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=alone, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def rows(lengths: tuple[int, ...] = (4096,), rounds: int = 3) -> list[dict[str, Any]]:
    """Four a length: segments against plain, by peak memory and by time, the sides in turn, for either kernel.

    Raises ValueError where the two modes compute different losses.
    """
    told: list[dict[str, Any]] = []
    for T, kernel in itertools.product(lengths, ("unrolled", "fused")):
        peaks = {mode: in_process("peak", mode, T, kernel) for mode in MODES}
        losses = [peaks[mode]["loss"] for mode in MODES]
        if not np.allclose(losses, losses[0], rtol=1e-4):
            raise ValueError(f"T = {T}: the modes {MODES} compute different losses, {losses}")
        times: dict[str, list[float]] = {mode: [] for mode in MODES}
        for _ in range(rounds):
            for mode in MODES:
                times[mode].append(in_process("ms", mode, T, kernel)["ms"])
        row = {"name": f"segments, {kernel} LSTM, T={T} B={B} H={H}", "peer": "plain"}
        told.append(row | {"ours": peaks["segments"]["peak"], "peers": peaks["plain"]["peak"], "unit": "MB",
                           "at_most": LIMITS["memory"]})  # fmt: skip
        told.append(row | {"ours": times["segments"], "peers": times["plain"], "at_most": LIMITS["time"]})
    return told
