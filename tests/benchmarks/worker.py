"""One way, measured in this process, which does nothing else: `python -m tests.benchmarks.worker TASK`, TASK in JSON.

Each way has a process of its own because two pools of BLAS threads in one disturb each other. The answer is one line of
JSON, the last of the output.
"""

from __future__ import annotations

import importlib
import json
import statistics
import sys
import time
import tracemalloc
from typing import Any

from . import machine
from .ways import WAYS

FEWEST = 5  # runs, however long one takes


def measure(way: str, sizes: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Milliseconds, the median of as many runs as fit, after a quarter of the time (twice at least) to warm up; and
    the loss."""
    once = WAYS[way].build(**sizes)
    times: list[float] = []

    def repeat(seconds: float, fewest: int) -> float | None:
        times.clear()
        end = time.perf_counter() + seconds
        while len(times) < fewest or time.perf_counter() < end:
            start = time.perf_counter()
            result = once()
            took = time.perf_counter() - start
            times.append(result if WAYS[way].times_itself else took)
        return result

    repeat(seconds / 4, 2)
    loss = repeat(seconds, FEWEST)
    return {"ms": statistics.median(times) * 1e3, "loss": None if WAYS[way].times_itself else loss}


def peak(way: str, sizes: dict[str, Any]) -> dict[str, Any]:
    """MB that one run needs at its height, beyond what was there before (NumPy tells tracemalloc of its arrays)."""
    once = WAYS[way].build(**sizes)
    once()
    tracemalloc.start()
    once()
    height = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"MB": height / 1e6}


def module_rows(module: str) -> list[dict[str, Any]]:
    """What a module of this folder measures by itself: the list that its `rows()` gives."""
    return importlib.import_module(f".{module}", __package__).rows()


TASKS = {"measure": measure, "peak": peak, "rows": module_rows, "machine": machine.describe}

if __name__ == "__main__":
    task = json.loads(sys.argv[1])
    print(json.dumps(TASKS[task.pop("task")](**task)))
