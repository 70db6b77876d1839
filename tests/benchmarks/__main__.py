"""Side-by-side measurements: `python -m tests.benchmarks` prints a table.

Each way runs in a process of its own, with the same number of threads, in turn, several rounds; a row is the median
over the rounds of the median time in a process, and the median over the rounds of the ratio to the peer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import date

from . import elman, scaling


def measure(way: str, B: int, seconds: float) -> dict[str, float]:
    """In this process: milliseconds, the median of as many runs as fit, and the loss, the same in all ways."""
    once = elman.WAYS[way](B)
    for _ in range(3):
        loss = once()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        once()
        times.append(time.perf_counter() - start)
    return {"ms": statistics.median(times) * 1e3, "loss": loss}


def in_process(way: str, B: int, seconds: float, threads: int) -> dict[str, float]:
    """`measure` in a fresh process with pinned threads."""
    pins = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    command = [sys.executable, "-m", "tests.benchmarks", "--worker", way, "--batch", str(B), "--seconds", str(seconds)]
    done = subprocess.run(command, env={**os.environ, **pins}, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def table(batches: list[int], rounds: int, seconds: float, threads: int) -> None:
    print(f"op-level Elman, T={elman.T} H={elman.H} D={elman.D}, float32, loss at each step, forward + backward")
    print(f"{platform.machine()}, {os.cpu_count()} cores, {threads} threads each, {rounds} rounds, {date.today()}\n")
    print(f"{'B':>3}  {'way':<16}{'ms':>8}   engine / way")
    for B in batches:
        runs: dict[str, list[dict[str, float]]] = {way: [] for way in elman.WAYS}
        for _ in range(rounds):
            for way, done in runs.items():
                done.append(in_process(way, B, seconds, threads))
        for way, done in runs.items():
            ratio = statistics.median(e["ms"] / d["ms"] for e, d in zip(runs["engine"], done, strict=True))
            losses = done[0]["loss"], runs["engine"][0]["loss"]
            assert abs(losses[0] - losses[1]) < 1e-3 * abs(losses[0]), f"{way} computes another loss"
            print(f"{B:>3}  {way:<16}{statistics.median(d['ms'] for d in done):>8.2f}   {ratio:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--batch", type=int, nargs="+", default=[16, 1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each process measures")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=["elman", *scaling.PARTS], nargs="+", help="these parts (default: all)")
    parser.add_argument("--part", choices=scaling.PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--worker", choices=elman.WAYS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(measure(args.worker, args.batch[0], args.seconds)))
        return
    if args.part:
        scaling.PARTS[args.part]()
        return
    for part in args.only or ["elman", *scaling.PARTS]:
        if part == "elman":
            table(args.batch, args.rounds, args.seconds, args.threads)
        else:
            print(f"\n{part}: {scaling.PARTS[part].__doc__}", flush=True)
            subprocess.run([sys.executable, "-m", "tests.benchmarks", "--part", part], check=True)


if __name__ == "__main__":
    main()
