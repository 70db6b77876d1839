"""Charts of a ledger: which step paid what for the gradient of a shared weight, and who owes it to whom."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ..flow import Ledger, Table
from .figure import Node, Text, style
from .palette import ink_on
from .plot import Chart, Plot, chart
from .scales import Scale, number, scale

__all__ = ["ledger_chart", "table_chart"]

WIDE, HIGH = 300.0, 185.0  # of a plot, in points
MOST_BARS, MOST_CELLS = 110, 50  # more than that cannot be told apart, and are joined


def ledger_chart(ledgers: Ledger | Mapping[str, Ledger], title: str = "", about: str | None = None) -> Chart:
    """What each step contributed to the gradient of a shared weight: a bar a step, one plot a ledger.

    All plots share their axes, which show decades unless all numbers are near each other. Many steps are joined: a bar
    is then the largest of several.
    """
    named = dict(ledgers) if isinstance(ledgers, Mapping) else {getattr(ledgers, "name", ""): ledgers}
    if wrong := [each for each in named.values() if not isinstance(each, Ledger)]:
        raise TypeError(f"ledger_chart: give flow.ledger(loss, W), or several by name, not {type(wrong[0]).__name__}"
                        + {"Lags": ": lag_chart draws those", "Table": ": table_chart draws it"}.get(
                            type(wrong[0]).__name__, ""))  # fmt: skip
    if not named or not all(len(each) for each in named.values()):
        raise ValueError("ledger_chart: there is nothing to draw: give a ledger with at least one use")
    high = HIGH if len(named) == 1 else 0.5 * HIGH
    everything = [float(v) for each in named.values() for v in each.norms]
    log = _spread(everything)
    floor = min((v for v in everything if v > 1e-300), default=1.0)  # the smallest bar is to be seen too
    uses = max(len(each) for each in named.values())
    plots = []
    for i, (name, each) in enumerate(named.items()):
        bottom, last = -i * (high + 42), i == len(named) - 1
        axis = scale([*everything, 0.5 * floor if log else 0.0], bottom, bottom + high, log)
        plot = Plot(name, Scale(0, uses, 0, WIDE), axis, bottom, bottom + high)
        _bars(plot, each, uses)
        plot.axes("step" if last else "", f"contribution to ∂L/∂{each.name}", _step_ticks(each.steps, uses),
                  name if len(named) > 1 else "")  # fmt: skip
        plots.append(plot)
    said = "\n".join(_shares(name, each, len(named) > 1) for name, each in named.items())
    return chart(title or "Which steps paid for the gradient", said, plots, about)


def _spread(values: Sequence[float]) -> bool:
    """Are the numbers so far apart that only decades can show them?"""
    usable = [v for v in values if 0 < v < math.inf]
    return bool(usable) and max(usable) >= 30 * min(usable)


def _bars(plot: Plot, each: Ledger, uses: int) -> None:
    joined = math.ceil(len(each) / MOST_BARS)
    wide, colours = WIDE / uses, style("bar")
    for first in range(0, len(each), joined):
        values = each.norms[first : first + joined]
        value = float("nan") if np.isnan(values).any() else float(values.max())
        steps = [each.steps[first], each.steps[min(first + joined, len(each)) - 1]]
        name = "-".join(dict.fromkeys("outside" if s is None else str(s + 1) for s in steps))
        x = (first + len(values) / 2) * wide
        place = plot.y.at(value)
        tooltip = f"step {name}: {number(value)}"
        key = f"{plot.name}/step{name}"
        if place is None:  # NaN
            plot.missing += 1
            plot.nodes.append(Node(key, x, plot.bottom + 5, 5, 5, "square", stroke="#6b21a8", tooltip=tooltip))
        elif value == 0:  # too low for a bar
            size = min(6.0, max(3.0, 0.8 * wide * joined))
            plot.nodes.append(Node(key, x, place, size, size, "circle", fill="#ffffff", stroke=colours.stroke,
                                   pen=1.0, tooltip=tooltip))  # fmt: skip
        else:
            across = max(1.0, wide * joined * (0.72 if wide * joined > 4 else 0.9))
            fill, stroke = style("error") if math.isinf(value) else colours
            tall = max(1.0, place - plot.y.start)
            plot.nodes.append(Node(key, x, plot.y.start + tall / 2, across, tall, "rect", fill=fill, stroke=stroke,
                                   pen=1.0 if across > 4 else 0.4, tooltip=tooltip))  # fmt: skip


def _step_ticks(steps: Sequence[int | None], uses: int) -> list[tuple[str, float]]:
    """Which step a bar or a cell belongs to: about eight labels, counted from 1."""
    last = len(steps) - 1
    every = next(n for n in (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 10**9) if last / n <= 8)
    chosen = [i for i, step in enumerate(steps) if i in (0, last) or step is None or (step + 1) % every == 0]
    chosen = [i for i in chosen if i in (0, last) or (2 * i > every - 1 and 2 * (last - i) > every - 1)]
    names = ["–" if step is None else str(step + 1) for step in steps]
    return [(names[i], WIDE * (i + 0.5) / uses) for i in chosen]


def table_chart(table: Table, title: str = "Who owes what to whom", decades: int = 6,
                about: str | None = None) -> Chart:  # fmt: skip
    """The T x T table as a map: the loss of each step in rows, the use of the weight in columns, darker for more.

    Colours fall by decades from the largest norm; what is `decades` below it, or smaller, has the lightest (fewer
    decades, where the numbers span fewer). Exact zeros
    are blank. Small tables have their numbers in them; large ones are joined in blocks, each shown as its largest.
    """
    if not isinstance(table, Table):
        raise TypeError(f"table_chart: give flow.ledger([L_1, L_2, ...], W), not {type(table).__name__}")
    norms, rows, columns = _blocks(table)
    if not norms.size:
        raise ValueError("table_chart: there is nothing to draw: give a table with at least one loss")
    finite = norms[np.isfinite(norms)]
    largest = float(finite.max()) if finite.any() else 1.0
    smallest = float(finite[finite > 0].min()) if finite.any() else 1.0
    decades = max(1, min(decades, math.ceil(math.log10(largest) - math.log10(smallest) - 1e-9)))
    size = WIDE / norms.shape[1]
    high = size * norms.shape[0]
    plot = Plot("table", Scale(0, norms.shape[1], 0, WIDE), Scale(0, 1, 0, high), 0, high)
    for i, j in np.ndindex(*norms.shape):
        value = float(norms[i, j])
        if value == 0:
            continue
        plot.missing += math.isnan(value)
        fill = _shade(value, largest, decades)
        text = (Text(_brief(value), 11.0, ink_on(fill)),) if norms.shape[1] <= 8 else ()
        tooltip = f"loss {rows[i]}, step {columns[j]}: {number(value)}"
        plot.nodes.append(Node(f"loss{rows[i]}/use{columns[j]}", (j + 0.5) * size, high - (i + 0.5) * size, size, size,
                               "rect", text, fill, "#ffffff", min(1.0, size / 20), tooltip=tooltip))  # fmt: skip
    _frame(plot, rows, columns, size)
    _legend(plot, largest, smallest, decades)
    return chart(title, _owed(table), [plot], about)


def _blocks(table: Table) -> tuple[np.ndarray, list[str], list[str]]:
    """The table, joined in blocks of which none is more than can be told apart, and the names of rows and columns."""
    joined = math.ceil(max(table.norms.shape) / MOST_CELLS)
    starts = [range(0, n, joined) for n in table.norms.shape]
    norms = np.array([[table.norms[i : i + joined, j : j + joined].max() for j in starts[1]] for i in starts[0]])
    names = []
    for labels, begin in zip((table.loss_steps, table.steps), starts, strict=True):
        words = ["–" if s is None else str(s + 1) for s in labels]
        ends = [min(i + joined, len(words)) - 1 for i in begin]
        names.append([words[i] if i == end else f"{words[i]}-{words[end]}" for i, end in zip(begin, ends, strict=True)])
    return norms.reshape(len(names[0]), len(names[1])), names[0], names[1]


LIGHT, DARK = (255, 243, 224), (124, 45, 18)


def _shade(value: float, largest: float, decades: int) -> str:
    if math.isnan(value):
        return "#6b21a8"
    below = math.log10(largest) - math.log10(value) if 0 < value < math.inf else math.inf if value == 0 else 0.0
    part = min(1.0, max(0.0, 1 - below / decades))
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(LIGHT, DARK, strict=True))


def _brief(value: float) -> str:
    return number(float(f"{value:.2g}")) if 1e-3 <= value < 1e3 else number(float(f"{value:.0e}"))


def _frame(plot: Plot, rows: list[str], columns: list[str], size: float) -> None:
    left, right, top = plot.x.start, plot.x.end, plot.top
    plot.stroke("frame", [(left, 0), (right, 0), (right, top), (left, top), (left, 0)], "#d1d5db", 0.8)
    for along, names in (("loss", rows), ("use", columns)):
        every = math.ceil(len(names) / 10)
        for i, name in enumerate(names):
            if i % every == 0:
                place = (i + 0.5) * size
                x, y = (left - 7, top - place) if along == "loss" else (left + place, -11)
                plot.write(f"{along}{name}:label", x, y, name.split("-")[0], "end" if along == "loss" else "middle")
    plot.write("x:name", (left + right) / 2, -29, "step at which the weight was used")
    plot.write("y:name", left - 36, top + 14, "loss of step", "start")


def _legend(plot: Plot, largest: float, smallest: float, decades: int) -> None:
    """Swatches from the largest norm down, by decades, under the map."""
    count = decades + 1
    wide = WIDE / count
    for i in range(count):
        value = largest / 10**i
        fill = _shade(value, largest, decades)
        text = Text(("≤ " if i == decades and smallest < 0.99 * value else "") + _brief(value), 11.0, ink_on(fill))
        plot.nodes.append(Node(f"legend/{i}", (i + 0.5) * wide, -62, wide, 20, "rect", (text,), fill, "#ffffff", 1.0))
    plot.write("legend:name", 0, -84, "norm of the contribution; blank: exactly 0", "start")


# Words about numbers


def _shares(name: str, each: Ledger, several: bool) -> str:
    """`RNN: most, 0.102, from step 60; least, 7.8e-19, from step 2; nothing from step 1.`"""
    norms = np.where(np.isnan(each.norms), 0.0, each.norms)
    words = []
    if norms.any():
        most = int(norms.argmax())
        least = int(np.where(norms > 0, norms, np.inf).argmin())
        words.append(f"most, {number(norms[most])}, from {_step(each.steps[most])}")
        if least != most:
            words.append(f"least, {number(norms[least])}, from {_step(each.steps[least])}")
    nothing = [step for step, size in zip(each.steps, each.norms, strict=True) if size == 0]
    if nothing:
        words.append(f"nothing from {_step(nothing[0]) if len(nothing) == 1 else f'{len(nothing)} steps'}")
    text = "; ".join(words) + "."
    return f"{name}: {text}" if several else text[0].upper() + text[1:]


def _step(step: int | None) -> str:
    return "uses outside any step" if step is None else f"step {step + 1}"


def _owed(table: Table) -> str:
    row = table.norms[-1]
    loss = table.loss_steps[-1] + 1
    used = np.flatnonzero(row)
    if not used.size:
        return f"The loss of step {loss} owes nothing to any use of {table.name}."
    near, far = int(used[-1]), int(used[0])
    return (f"The loss of step {loss} owes {number(row[near])} to the use of {table.name} in {_step(table.steps[near])}"
            + (f", and {number(row[far])} to that in {_step(table.steps[far])}." if far != near else "."))  # fmt: skip
