"""How cost grows: a chain of operations, indexing step by step, large drawings, the import."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time

import numpy as np


def chain() -> None:
    """Microseconds per operation, forward, backward and deletion, garbage collector paused."""
    import tinygrad_rnn as tg

    def per_op(n: int) -> tuple[float, float, float]:
        x = tg.tensor(1.0, requires_grad=True)
        start = time.perf_counter()
        y = x
        for _ in range(n):
            y = y * 1.0
        made = time.perf_counter()
        y.backward()
        back = time.perf_counter()
        del y
        gone = time.perf_counter()
        assert x.grad is not None
        assert x.grad.item() == 1.0
        return (made - start) / n * 1e6, (back - made) / n * 1e6, (gone - back) / n * 1e6

    gc.disable()
    per_op(10_000)
    rows = {n: [per_op(n) for _ in range(times)] for n, times in ((10_000, 9), (1_000_000, 3))}
    totals = {}
    for n, runs in rows.items():
        forward, backward, deletion = (statistics.median(column) for column in zip(*runs, strict=True))
        totals[n] = forward + backward + deletion
        print(f"  {n:>9,} ops: forward {forward:.2f}, backward {backward:.2f}, deletion {deletion:.2f} us per op")
    print(f"  ratio of the totals: {totals[1_000_000] / totals[10_000]:.2f} (at most 1.30)")


def indexing() -> None:
    """Microseconds per step of `X[t].sum()` and its gradient, X (T, 16, 32), garbage collector paused."""
    import tinygrad_rnn as tg

    gc.disable()
    costs = {}
    for T in (64, 4096):
        X = tg.tensor(np.ones((T, 16, 32), np.float32), requires_grad=True)

        def once(T: int = T, X: tg.Tensor = X) -> None:
            total = 0.0
            for t in range(T):
                total = total + X[t].sum()
            X.grad = None
            total.backward()

        once()
        times = []
        for _ in range(5 if T > 100 else 50):
            start = time.perf_counter()
            once()
            times.append((time.perf_counter() - start) / T * 1e6)
        costs[T] = statistics.median(times)
        print(f"  T = {T:>4}: {costs[T]:.1f} us per step")
    print(f"  ratio: {costs[4096] / costs[64]:.2f}")


def drawing() -> None:
    """Seconds for large pictures, from the traced output to SVG."""
    import tinygrad_rnn as tg

    rng = np.random.default_rng(0)

    def lstm(T: int) -> tg.Tensor:
        layer = tg.nn.LSTM(3, 4, rng=rng)
        outputs, _ = layer(tg.tensor(rng.normal(size=(T, 2, 3)).astype(np.float32)))
        return tg.sum(outputs * outputs)

    for view, T, engine, limit in (("cells", 1000, None, 2), ("ops", 770, "dot", 5)):
        output = lstm(T)
        if engine:
            os.environ["TINYGRAD_RNN_ENGINE"] = engine
        start = time.perf_counter()
        drawing = tg.draw(output, view=view, steps="all")
        svg = drawing.svg
        took = time.perf_counter() - start
        nodes = len(drawing.figure.nodes)
        print(f"  {view}, T = {T}, {nodes:,} nodes, by {drawing.engine}: {took:.2f} s (at most {limit}), "
              f"{len(svg) / 1e6:.1f} MB")  # fmt: skip


def importing() -> None:
    """Milliseconds to import this package and NumPy alone, in turn, each in fresh processes."""

    def milliseconds(module: str) -> float:
        code = f"import time; s = time.perf_counter(); import {module}; print(time.perf_counter() - s)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return float(done.stdout) * 1e3

    pairs = [(milliseconds("tinygrad_rnn"), milliseconds("numpy")) for _ in range(9)]
    ours, numpys = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"  tinygrad_rnn {ours:.0f} ms, numpy {numpys:.0f} ms, ratio {ratio:.2f} (at most 1.30)")


PARTS = {"chain": chain, "indexing": indexing, "drawing": drawing, "import": importing}
