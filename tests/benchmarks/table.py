"""A run as a table: plain for the terminal, Markdown for a page."""

from __future__ import annotations

import statistics

from . import machine
from .results import Point, Report, Result

HEADS = ("work", "peer", "ours", "peer's", "ratio", "min..max", "at most", "")
GROWTH_HEADS = ("T", "fused, ms", "unrolled, ms", "fused, MB", "unrolled, MB")


def plain(report: Report) -> str:
    """Columns padded with spaces; a row that has only a note shows it in words."""
    parts = [caption(report)]
    for heads, lines in _tables(report):
        widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
        parts.append("\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
                               for line in (heads, *lines)))  # fmt: skip
    return "\n\n".join(parts)


def markdown(report: Report) -> str:
    """Pipe tables under a sentence that says where and when."""
    parts = [caption(report)]
    for heads, lines in _tables(report):
        rule = ["---" if k < 2 and heads is HEADS else "--:" for k in range(len(heads))]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in (heads, rule, *lines)))
    return "\n\n".join(parts)


def caption(report: Report) -> str:
    """Where, when and how."""
    return (f"{machine.line(report.machine)}; {report.how}. Ratio: ours / the peer's, the median of the rounds. "
            "Networks are trained one step, forward and backward, in float32.")  # fmt: skip


def row(result: Result) -> tuple[str, ...]:
    """The cells of one row, in the order of HEADS."""
    at_most = "" if result.at_most is None else f"{result.at_most:.2f}"
    if result.ratio is None:
        return (result.name, result.peer, "", "", "", "", at_most, result.note or "not measured")
    times = [f"{amount(values)} {result.unit}" for values in (result.ours, result.peers)]
    spread = f"{min(result.ratios):.2f}..{max(result.ratios):.2f}"
    verdict = ", ".join(filter(None, (result.words, result.note)))
    return (result.name, result.peer, *times, f"{result.ratio:.2f}", spread, at_most, verdict)


def amount(values: list[float]) -> str:
    """The median, to three digits."""
    middle = statistics.median(values)
    return f"{middle:.0f}" if middle >= 100 else f"{middle:.3g}"


def _tables(report: Report) -> list[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    tables = [(HEADS, [row(result) for result in report.rows])] if report.rows else []
    return [*tables, (GROWTH_HEADS, growth(report.growth))] if report.growth else tables


def growth(points: list[Point]) -> list[tuple[str, ...]]:
    """One line for each T, the kernels side by side."""
    found = {(point.kernel, point.T): point for point in points}
    kernels = ("fused", "unrolled")
    lines = []
    for T in sorted({point.T for point in points}):
        values = [getattr(found.get((kernel, T)), name, None) for name in ("ms", "MB") for kernel in kernels]
        lines.append((str(T), *("" if value is None else amount([value]) for value in values)))
    return lines
