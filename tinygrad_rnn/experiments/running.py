"""Running what is missing: first each arm's learning rates on the pilot seeds, then the best one on fresh seeds.

Trials go to a `concurrent.futures.Executor`: by default a pool of processes on this machine, each with one thread for
its products, so that the table does not depend on how many there are; Dask's `client.get_executor()` is another.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from ..course.interrupts import stoppable
from . import catalogue
from .experiment import Arm, Experiment, Outcome, Results
from .store import Key, Store, fingerprint, plain

FRESH = 2000  # seeds that count start here, and pilots at 0; whoever sets thresholds looks at those in between
ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TINYGRAD_RNN_FAST": "0"}
"""What trials run under: the same numbers however many run side by side, and with or without the extra `fast`."""


@dataclass
class Progress:
    """Where a run is: trials `done` of `trials`, about how many seconds are `left`, and what has just ended."""

    done: int
    trials: int
    left: float
    said: str


Report = Callable[[Progress], None]


@dataclass
class Run:
    """One experiment at one scale, as far as its trials have been run."""

    name: str
    experiment: Experiment
    scale: str
    fingerprint: str
    outcomes: dict[Key, Outcome] = field(default_factory=dict)
    seconds: float = 0.0  # on one core, of all its trials
    failed: str = ""

    def pilots(self) -> list[Key]:
        """The trials that choose the rates; none where nobody has a choice."""
        seeds = range(self.experiment.size(self.scale).pilots)
        return [Key(self.name, self.scale, arm.name, rate, "pilot", seed)
                for seed in seeds for arm in self.experiment.arms if len(arm.rates) > 1
                for rate in arm.rates]  # fmt: skip

    def rate(self, arm: Arm) -> float | None:
        """The one whose score was the least on average over the pilots; the middle one where there were none."""
        if not arm.rates:
            return None
        scores = {rate: [_score(self.outcomes[key]) for key in self.pilots() if (key.arm, key.rate) == (arm.name, rate)]
                  for rate in arm.rates}  # fmt: skip
        if not all(scores.values()):
            return arm.rates[len(arm.rates) // 2]
        return min(arm.rates, key=lambda rate: sum(scores[rate]) / len(scores[rate]))

    def keys(self) -> list[Key]:
        """The trials that count, once the pilots have been run."""
        rates = {arm.name: self.rate(arm) for arm in self.experiment.arms}
        return [Key(self.name, self.scale, arm, rate, "seed", FRESH + i)
                for i in range(self.experiment.size(self.scale).seeds) for arm, rate in rates.items()]  # fmt: skip

    def missing(self) -> list[Key]:
        """What can be run now and has not been."""
        return [key for key in self.pilots() if key not in self.outcomes] or (
            [key for key in self.keys() if key not in self.outcomes]
        )

    @property
    def trials(self) -> int:
        return len(self.pilots()) + self.experiment.size(self.scale).seeds * len(self.experiment.arms)

    @property
    def cost(self) -> float:
        """Of a trial, in seconds, by the experiment's own word."""
        return self.experiment.seconds / self.trials

    @property
    def whole(self) -> bool:
        return not self.failed and not self.missing()

    def keep(self, key: Key, outcome: Outcome, seconds: float) -> None:
        self.outcomes[key] = outcome
        self.seconds += seconds

    def results(self) -> Results:
        """What was found. Only for a run of which nothing is missing."""
        pilots = [(key.arm, key.rate, self.outcomes[key]) for key in self.pilots() if key.rate is not None]
        seeds: dict[int, dict[str, Outcome]] = {}
        for key in self.keys():
            seeds.setdefault(key.seed, {})[key.arm] = self.outcomes[key]
        rates = {arm.name: self.rate(arm) for arm in self.experiment.arms}
        return Results(self.experiment.size(self.scale), rates, pilots, list(seeds.values()))


def run(names: Sequence[str], scale: str, folder: Path, *, jobs: int | None = None, executor: Executor | None = None,
        report: Report = lambda progress: None) -> tuple[list[Run], bool]:  # fmt: skip
    """Run these experiments, taking from `folder` what has been run before, and keep each trial there as it ends.

    `jobs` processes, by default one a core, or an `executor` of the caller's. Gives the runs, and whether they are
    whole: Ctrl-C ends at the next trial, a second one at once, and nothing that was finished is lost. A trial that
    raises ends its own experiment, which then has `failed`, in words. Raises ValueError for an unknown name,
    RuntimeError where a package is missing.
    """
    runs = [Run(name, each := catalogue.load(name), scale, fingerprint(name, each, scale)) for name in names]
    store = Store(folder)
    with stoppable() as stop, _processes(jobs) if executor is None else _given(executor) as pool:
        _all(runs, store, pool, stop, report)
    return runs, not stop.is_set()


def _all(runs: list[Run], store: Store, pool: Executor, stop: Event, report: Report) -> None:
    waiting: dict[Future[Any], tuple[Run, Key]] = {}
    asked: set[Key] = set()
    start, worked = time.perf_counter(), 0.0

    def send(each: Run) -> None:
        """Take what was kept; submit what can be run now."""
        while fresh := [key for key in each.missing() if key not in asked]:
            asked.update(fresh)
            for key in fresh:
                kept = store.get(key, each.fingerprint)
                if kept is None:
                    waiting[pool.submit(run_trial, key.experiment, scale, key.arm, key.rate, key.seed)] = (each, key)
                else:
                    each.keep(key, *kept)

    scale = runs[0].scale
    for each in sorted(runs, key=lambda each: -each.cost):  # the longest first, so that none is left alone at the end
        send(each)
    while waiting and not stop.is_set():
        for future in wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED).done:
            each, key = waiting.pop(future)
            try:
                outcome, seconds = future.result()
            except Exception as why:  # whatever a trial does wrong, the other experiments go on
                each.failed = each.failed or f"{key.told}: {type(why).__name__}: {why}"
                for other in [other for other, (run, _) in waiting.items() if run is each and other.cancel()]:
                    del waiting[other]  # nobody will ask for it
            else:
                store.put(key, each.fingerprint, outcome, seconds)
                each.keep(key, outcome, seconds)
                worked += each.cost
                send(each)
            left = sum(each.cost * (each.trials - len(each.outcomes)) for each in runs if not each.failed)
            pace = (time.perf_counter() - start) / worked if worked else 0.0
            report(Progress(sum(len(each.outcomes) for each in runs), sum(each.trials for each in runs), left * pace,
                            key.told))  # fmt: skip
    for future in waiting:
        future.cancel()


def run_trial(name: str, scale: str, arm: str, rate: float | None, seed: int) -> tuple[Outcome, float]:
    """One trial, in whatever process: its outcome, in what JSON can say, and the seconds it took."""
    experiment = catalogue.load(name)
    start = time.process_time()
    chosen = next(each for each in experiment.arms if each.name == arm)
    outcome = plain(experiment.trial(chosen, rate, seed, experiment.size(scale)))
    return outcome, time.process_time() - start


def _score(outcome: Outcome) -> float:
    score = float(outcome["score"])
    return math.inf if math.isnan(score) else score


@contextmanager
def _processes(jobs: int | None) -> Iterator[Executor]:
    """A pool whose processes end with the run, whatever they are doing."""
    before = {name: os.environ.get(name) for name in ALONE}
    os.environ.update(ALONE)  # read once, when a process loads NumPy
    pool = ProcessPoolExecutor(jobs or cores(), multiprocessing.get_context("spawn"), signal.signal,
                               (signal.SIGINT, signal.SIG_IGN))  # fmt: skip
    others = set(multiprocessing.active_children())
    try:
        yield pool
    finally:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def _given(executor: Executor) -> Iterator[Executor]:
    yield executor


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
