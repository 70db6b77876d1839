"""How fast, measured: one command, one table.

Each row is a ratio, our time / a peer's, for the same work (both compute the same loss, which is checked), in float32,
forward and backward. The two sides run in turn, each in a fresh process with the same number of threads; a round's time
is the median of the runs that fit, the ratio is the median over the rounds, and min..max shows how far they spread.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

from . import plot, table
from .results import Report, Result
from .rows import ROWS
from .runner import Failed, Runner, unit

GROWTH = "growth with T"  # of time and peak memory, fused and unrolled
MODULES = ("memory", "chain", "indexing", "drawing")  # each measures by itself, and gives `rows()`


def main(arguments: list[str] | None = None) -> int:
    """0, or 1 where something failed or computed something else, 130 after Ctrl-C."""
    args = parse(arguments)
    if args.list:
        print("\n".join(parts()))
        return 0
    report, code = Report({}, ""), 0
    if args.load:
        report = joined(args.load)
    else:
        code = measure(report, args)
    if report.machine:
        print(table.markdown(report) if args.markdown else table.plain(report))
        if args.json:
            report.save(args.json)
        if args.plot:
            plot.save(report, args.plot)
    return code or int(any(result.broken for result in report.rows))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    add = parser.add_argument
    add("--only", nargs="+", metavar="PATTERN", default=[""], help="rows whose name (see --list) contains one of these")
    add("--list", action="store_true", help="name the rows, and measure nothing")
    add("--rounds", type=int, default=5)
    add("--seconds", type=float, default=1.0, help="how long each process measures")
    add("--threads", type=int, default=2, help="of the linear algebra, on both sides")
    add("--quick", action="store_true", help="2 rounds of 0.2 s: to see that it works; quote no number of it")
    add("--markdown", action="store_true", help="print the table in Markdown")
    add("--json", type=Path, metavar="FILE", help="write the results")
    add("--plot", type=Path, metavar="FILE", help="draw them: .svg, .png or .pdf (needs matplotlib)")
    add("--from", dest="load", type=Path, nargs="+", metavar="FILE", help="measure nothing: show what --json wrote")
    args = parser.parse_args(arguments)
    if args.rounds < 1 or args.threads < 1 or args.seconds <= 0:
        parser.error("--rounds, --threads and --seconds must be positive")
    if args.plot and not importlib.util.find_spec("matplotlib"):
        parser.error("--plot needs matplotlib: pip install 'tinygrad_rnn[course]'")
    if args.plot and args.plot.suffix not in (".svg", ".png", ".pdf"):
        parser.error(f"--plot: {args.plot} should end in .svg, .png or .pdf")
    for pattern in args.only:
        if not any(matches(name, [pattern]) for name in parts()):
            parser.error(f"--only: no row has {pattern!r} in its name; --list names them")
    return args


def parts() -> list[str]:
    """What can be measured, by name, in the order of the table."""
    return [*map(str, ROWS), GROWTH, *(name for name in MODULES if importlib.util.find_spec(f"{__package__}.{name}"))]


def matches(name: str, patterns: list[str]) -> bool:
    return any(pattern.lower() in name.lower() for pattern in patterns)


def measure(report: Report, args: argparse.Namespace) -> int:
    """Fill the report, as far as one lets it: 130 if interrupted."""
    wanted = [name for name in parts() if matches(name, args.only)]
    done = [0]
    runner = Runner(args.rounds, args.seconds, args.threads, lambda line: show(line, done[0], len(wanted)))
    if args.quick:
        runner = replace(runner, rounds=2, seconds=0.2)
    try:
        report.how = runner.how
        report.machine = runner.machine()
        for row in ROWS:
            if str(row) in wanted:
                report.rows.append(Result(row.name, row.peer_label, unit=unit(row), at_most=row.at_most))
                runner.row(row, report.rows[-1])
                done[0] += 1
        for name in MODULES:
            if name in wanted:
                report.rows += runner.module(name)
                done[0] += 1
        if GROWTH in wanted:
            try:
                runner.growth(report.growth)
            except Failed as why:
                report.rows.append(Result(GROWTH, "", note=str(why), broken=True))
    except KeyboardInterrupt:
        report.how += ", interrupted"
        return 130
    finally:
        show("", 0, 0)
    return 0


def show(line: str, done: int, total: int) -> None:
    """On a terminal one line that is written over; elsewhere one after the other. Nothing ends it."""
    if sys.stderr.isatty():
        print(f"\r\033[K{f'[{done + 1}/{total}] {line}'[:110] if line else ''}", end="", file=sys.stderr, flush=True)
    elif line:
        print(f"[{done + 1}/{total}] {line}", file=sys.stderr, flush=True)


def joined(paths: list[Path]) -> Report:
    """Several files of one machine, as one run. Ends the program where the machines, or the ways to measure, differ."""
    first, *others = map(Report.load, paths)
    for path, other in zip(paths[1:], others, strict=True):
        if (other.machine, other.how) != (first.machine, first.how):
            sys.exit(f"--from: {path} was measured elsewhere, or otherwise, than {paths[0]}: show them one by one")
        first.rows += other.rows
        first.growth += other.growth
    return first


if __name__ == "__main__":
    sys.exit(main())
