"""A run as a picture: a bar for each ratio, with its spread and its target; and how time and memory grow with T."""

from __future__ import annotations

import io
import textwrap
from html import escape
from pathlib import Path
from typing import Any

from . import machine
from .results import Point, Report, Result

INK, HOLDS, MISSES, FREE = "#222222", "#4477aa", "#cc6677", "#bbbbbb"  # told apart in shades of grey too


def save(report: Report, path: Path) -> None:
    """As SVG (with a title and a description for screen readers), PNG or PDF, by the name's ending.

    Raises ImportError where matplotlib is missing: `pip install 'tinygrad_rnn[course]'` brings it.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows = report.rows
    height = 1.2 + 0.36 * len(rows)
    with mpl.rc_context({"font.size": 9, "svg.hashsalt": "benchmarks", "axes.spines.top": False,
                         "axes.spines.right": False, "hatch.linewidth": 0.8}):  # fmt: skip
        figure = Figure(figsize=(10, height + 3.6 * bool(report.growth)), layout="constrained")
        parts = iter(figure.subfigures(2, 1, height_ratios=[height, 3.6]) if report.growth and rows else [figure])
        if rows:
            bars(next(parts).subplots(), rows)
        if report.growth:
            curves(next(parts).subplots(1, 2), report.growth)
        figure.supxlabel("\n".join(textwrap.wrap(f"{machine.line(report.machine)}; {report.how}", 150)), fontsize=7)
        if path.suffix == ".svg":
            path.write_text(described(figure, report), encoding="utf-8")
        else:
            figure.savefig(path, dpi=150)


def bars(axes: Any, rows: list[Result]) -> None:
    """One bar a row; a black line across it where it has a target; hatched where the target is missed. A row without a
    ratio says why."""
    for y, result in enumerate(rows):
        missed = result.verdict == "misses"
        words, reach = result.note or "not measured", 0.0
        if result.ratio is not None:
            axes.barh(y, result.ratio, height=0.62, color=MISSES if missed else HOLDS if result.verdict else FREE,
                      hatch="///" if missed else None, edgecolor="white" if missed else "none")  # fmt: skip
            axes.plot([min(result.ratios), max(result.ratios)], [y, y], color=INK, linewidth=1)
            words, reach = f"{result.ratio:.2f}", max(result.ratios)
            if result.at_most is not None:
                axes.plot([result.at_most] * 2, [y - 0.42, y + 0.42], color="black", linewidth=2.5)
                words += f", at most {result.at_most:.2f}: {result.words}"
                reach = max(reach, result.at_most)
        axes.annotate(words, (reach, y), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})  # fmt: skip
    axes.set_yticks(range(len(rows)), [f"{result.name}\n/ {result.peer}" for result in rows], fontsize=7)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.axvline(1, color=INK, linewidth=0.8, linestyle=":")
    axes.set_xlim(0, 1.35 * max([1.0, *(max(*result.ratios, result.at_most or 0) for result in rows if result.ratios)]))
    axes.set_xlabel("our time / the peer's (dotted: as fast; black line: at most; thin line: spread over the rounds)")


def curves(pair: Any, points: list[Point]) -> None:
    """Time and peak memory over T, both axes logarithmic, against the slope of what is proportional to T."""
    for axes, quantity, words in ((pair[0], "ms", "ms, forward and backward"), (pair[1], "MB", "peak memory, MB")):
        for kernel, marker, line, rise in (("fused", "o", "-", -5), ("unrolled", "s", "--", 5)):
            mine = sorted((p.T, getattr(p, quantity)) for p in points if p.kernel == kernel)
            if not mine:
                continue
            Ts, values = zip(*mine, strict=True)
            axes.loglog(Ts, values, marker=marker, linestyle=line, color=INK if kernel == "unrolled" else HOLDS)
            axes.annotate(kernel, (Ts[-1], values[-1]), xytext=(6, rise), textcoords="offset points", va="center")
            axes.loglog(Ts, [values[0] * T / Ts[0] for T in Ts], color=FREE, linewidth=0.8, linestyle=":")
        ticks = sorted({p.T for p in points})
        axes.set_xticks(ticks, map(str, ticks))
        axes.minorticks_off()
        axes.set_xlim(ticks[0] / 1.3, ticks[-1] * 2.5)
        axes.set_xlabel("T (dotted: in proportion to T)")
        axes.set_title(words, loc="left", fontsize=9)


def described(figure: Any, report: Report) -> str:
    """The SVG, its title, and in words what it shows."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Title": "Benchmarks of tinygrad_rnn"})
    told = [f"{row.name} / {row.peer}: {row.note if row.ratio is None else f'{row.ratio:.2f} {row.words}'.strip()}"
            for row in report.rows]  # fmt: skip
    told += [f"{p.kernel}, T={p.T}: {p.ms:.3g} ms, {p.MB:.3g} MB" for p in report.growth]
    words = f"Our time divided by the peer's. {'; '.join(told)}."
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].replace("</title>", f"</title>\n <desc>{escape(words)}</desc>", 1)
    return svg.replace("<svg ", '<svg role="img" ', 1)
