"""Rows, measured: our side, the peer's, our side, the peer's, ..., each time in a fresh process with pinned threads."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .results import Point, Result
from .rows import Row, Run, growing
from .ways import WAYS

PINS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
LENGTHS = (16, 64, 256, 1024, 4096)
Progress = Callable[[str], None]


class Failed(RuntimeError):
    """A worker ended otherwise than with an answer."""


@dataclass(frozen=True)
class Runner:
    """`rounds` of each side, each for `seconds`, with `threads`; `progress` is told what goes on."""

    rounds: int = 5
    seconds: float = 1.0
    threads: int = 2
    progress: Progress = lambda line: None

    @property
    def how(self) -> str:
        rounds = "1 round" if self.rounds == 1 else f"{self.rounds} rounds"
        return f"{rounds} of {self.seconds:g} s a side, in turn, each in a process of its own"

    def row(self, row: Row, result: Result) -> None:
        """Fill `result` round by round, so that what is there when somebody interrupts can be shown."""
        for run in (row.ours, row.peer):
            if WAYS[run.way].missing:
                result.note = WAYS[run.way].missing
                return
        try:
            for k in range(self.rounds):
                so_far = f", ratio {result.ratio:.2f} so far" if result.ratio else ""
                self.progress(f"{row}: round {k + 1} of {self.rounds}{so_far}")
                ours, peer = (self.measured(run) for run in (row.ours, row.peer))
                if row.same_loss:
                    agree(ours["loss"], peer["loss"])
                result.ours.append(amount(ours["ms"], row, row.ours))
                result.peers.append(amount(peer["ms"], row, row.peer))
        except Failed as why:
            result.ours, result.peers, result.note, result.broken = [], [], str(why), True

    def growth(self, points: list[Point]) -> None:
        """Time and memory of one training step over T, appended to `points`, the kernels in turn at each T."""
        for T in LENGTHS:
            runs = {kernel: Run("character", {"kernel": kernel} | growing(T)) for kernel in ("fused", "unrolled")}
            times: dict[str, list[float]] = {kernel: [] for kernel in runs}
            for k in range(self.rounds):
                self.progress(f"growth, T={T}: round {k + 1} of {self.rounds}")
                for kernel, run in runs.items():
                    times[kernel].append(self.measured(run)["ms"])
            for kernel, run in runs.items():
                MB = self.ask(task="peak", way=run.way, sizes=run.sizes)["MB"]
                points.append(Point(kernel, T, statistics.median(times[kernel]), MB))

    def module(self, name: str) -> list[Result]:
        """The rows of a module of this folder that measures by itself."""
        self.progress(name)
        try:
            return [Result.of(row) for row in self.ask(task="rows", module=name)]
        except (Failed, KeyError) as why:
            return [Result(name, "", note=str(why), broken=True)]

    def machine(self) -> dict[str, Any]:
        """What the processes of this run find themselves on."""
        return self.ask(task="machine", threads=self.threads)

    def measured(self, run: Run) -> dict[str, Any]:
        """Milliseconds and loss, see `worker.measure`."""
        return self.ask(task="measure", way=run.way, sizes=run.sizes, seconds=self.seconds)

    def ask(self, **task: Any) -> Any:
        """What a fresh worker answers. Raises Failed with the last line that it said instead."""
        command = [sys.executable, "-m", f"{__package__}.worker", json.dumps(task)]
        way = WAYS.get(task.get("way", ""))
        pins = dict.fromkeys(PINS, str(self.threads)) | dict(way.environment if way else {})
        done = subprocess.run(command, env=os.environ | pins, capture_output=True, text=True)
        if done.returncode:
            raise Failed((done.stderr.strip().splitlines() or [f"the worker ended with {done.returncode}"])[-1])
        return json.loads(done.stdout.splitlines()[-1])


def agree(ours: float | None, peer: float | None) -> None:
    """Raise Failed unless both ways computed the same. A way without a loss is not asked."""
    if ours is not None and peer is not None and not math.isclose(ours, peer, rel_tol=1e-4):
        raise Failed(f"not the same work: the loss is {ours:.6g} here and {peer:.6g} there")


def amount(ms: float, row: Row, run: Run) -> float:
    """In the unit of the row: ms, or microseconds for each step."""
    return ms * 1e3 / run.sizes["T"] if row.per else ms


def unit(row: Row) -> str:
    return f"µs/{row.per}" if row.per else "ms"
