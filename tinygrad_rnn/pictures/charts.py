"""Charts of what the instruments of `tg.flow` measure: each is a Chart, a Drawing as every picture here.

A chart says in words, under its title, what the numbers of this very run are. Steps are counted from 1, as in all
pictures. Lines differ in colour, marker and dashes and carry their names, so that no meaning hangs on colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..flow import JacobianProducts, Lags, Truncation, horizon
from .palette import GREY, INK
from .payments import HIGH, WIDE, ledger_chart, table_chart
from .plot import SERIES, Chart, Plot, chart
from .scales import number, scale

__all__ = [
    "curve_chart", "horizon_chart", "jacobian_chart", "lag_chart", "ledger_chart", "table_chart", "truncation_chart",
]  # fmt: skip


def curve_chart(curves: Mapping[str, tuple[Any, Any]], title: str = "Loss while training", x_label: str = "update",
                y_label: str = "loss", log: bool = False, about: str | None = None) -> Chart:  # fmt: skip
    """Named lines: `curves` maps a name to (x, y), each (n,). `log`: decades on the y axis.

    `about` is what is said under the title, in lines; by default where each curve begins and ends. An empty one says
    nothing there, as in all charts. Raises ValueError where there is nothing to draw, or x and y differ in length.
    """
    data = {name: (_numbers(name, x), _numbers(name, y)) for name, (x, y) in curves.items()}
    plot = _lines(data, x_label, y_label, log)
    said = "\n".join(f"{name}: from {number(y[0])} to {number(y[-1])}" for name, (_, y) in data.items())
    return chart(title, said, [plot], about)


def lag_chart(norms: Mapping[str, Any], title: str = "How far back the gradient reaches",
              y_label: str = "norm of ∂L/∂h", about: str | None = None) -> Chart:  # fmt: skip
    """The gradient's norm by lag, in decades: `norms` maps a name to Lags, or to numbers (lags,) from lag 0 on."""
    data = _by_lag(norms)
    plot = _lines(data, "steps back from the loss", y_label, log=True)
    said = "\n".join(_fall(name, xs, ys) for name, (xs, ys) in data.items())
    return chart(title, said, [plot], about)


def horizon_chart(norms: Mapping[str, Any], threshold: float = 0.01, title: str = "The horizon of the loss",
                  about: str | None = None) -> Chart:  # fmt: skip
    """The same as shares of the norm at lag 0, with the `threshold` and, for each line, the last lag above it."""
    data = {name: (xs, ys / ys[0] if ys[0] else ys) for name, (xs, ys) in _by_lag(norms).items()}
    reach = {name: horizon(ys, threshold) for name, (_, ys) in data.items()}
    level = {f"threshold {number(threshold)}": threshold}
    plot = _lines(data, "steps back from the loss", "share of the gradient at lag 0", True, level)
    height = plot.y.at(threshold)
    assert height is not None
    for i, (name, lag) in enumerate(reach.items()):
        place, series = plot.x.at(lag), SERIES[i % len(SERIES)]
        assert place is not None
        plot.stroke(f"{name}/horizon", [(place, height), (place, plot.bottom)], series.colour, 1.2, series.dashed)
        plot.mark(f"{name}/horizon:mark", place, plot.bottom, series, f"{name}: {lag} {_steps(lag)}")
    said = f"The gradient is at least {number(threshold)} of its size at lag 0 for:"
    for name, lag in reach.items():
        said += f"\n{name}: {lag} {_steps(lag)}" + (", or more" if lag == len(data[name][1]) - 1 else "")
    return chart(title, said, [plot], about)


def jacobian_chart(products: JacobianProducts | Mapping[str, JacobianProducts], title: str = "",
                   about: str | None = None) -> Chart:  # fmt: skip
    """The largest singular value of dh_T/dh_k, by how far k is behind the last state.

    One JacobianProducts: with all its singular values, thin, and the direct path and the others apart, where there is a
    direct path. Several by name: one line each.
    """
    inner = np.zeros((0, 1))
    if isinstance(products, JacobianProducts):
        data = _by_lag({"all paths": products.norms[-1, ::-1]})
        inner = products.singular_values[-1, ::-1, 1:].T
        if products.carousel.any():
            data |= _by_lag({"direct": products.direct.norms[-1, ::-1]})
            gates = products.gates.norms[-1, -2::-1]
            data["via gates"] = (np.arange(1.0, len(gates) + 1), gates)
    else:
        data = _by_lag({name: each.norms[-1, ::-1] for name, each in products.items()})
    usable = np.isfinite(inner) & (inner > 1e-14 * np.nan_to_num(inner).max(initial=0))  # below that, rounding
    inner = np.where(usable, inner, np.nan)
    plot = _lines(data, "steps between the two states", "largest singular value", log=True, behind=inner)
    said = "\n".join(_fall(name, xs, ys) for name, (xs, ys) in data.items())
    said += "\nThin lines: the other singular values." if len(inner) else ""
    return chart(title or "What is left of a change, step after step", said, [plot], about)


def truncation_chart(rows: Sequence[Truncation], title: str = "What truncation does to the gradient",
                     about: str | None = None) -> Chart:  # fmt: skip
    """The relative error of each truncated gradient, by how many steps it goes back (k2), one line a kind."""
    data: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for kind in dict.fromkeys(row.kind for row in rows):
        points = sorted((row.k2, row.relative_error) for row in rows if row.kind == kind)
        data[kind] = (np.array([float(k) for k, _ in points]), np.array([error for _, error in points]))
    plot = _lines(data, "steps back (k2)", "error / full gradient", log=True)
    said = "\n".join(f"{kind}: {number(ys[0])} with {xs[0]:.0f} {_steps(int(xs[0]))}, {number(ys[-1])} with "
                     f"{xs[-1]:.0f}" for kind, (xs, ys) in data.items())  # fmt: skip
    return chart(title, said, [plot], about)


# Words about numbers


def _fall(name: str, xs: np.ndarray, ys: np.ndarray) -> str:
    """`RNN: 0.39 at lag 0, 1.1e-5 at lag 11 (times 0.386 a step)`"""
    text = f"{name}: {number(ys[0])} at lag {xs[0]:.0f}"
    if len(ys) == 1:
        return text
    text += f", {number(ys[-1])} at lag {xs[-1]:.0f}"
    if ys[0] > 0 and ys[-1] > 0 and np.isfinite([ys[0], ys[-1]]).all():
        power = float((math.log10(ys[-1]) - math.log10(ys[0])) / (xs[-1] - xs[0]))
        text += f" (times {number(10.0**power)} a step)" if abs(power) < 300 else ""
    return text


def _steps(count: int) -> str:
    return "step" if count == 1 else "steps"


# Lines


def _numbers(name: str, values: Any) -> np.ndarray:
    array = np.asarray(values, float)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name}: a line needs one number a point, at least one, not an array {array.shape}")
    return array


def _by_lag(norms: Mapping[str, Any]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    values = {name: _numbers(name, each.norms if isinstance(each, Lags) else each) for name, each in norms.items()}
    return {name: (np.arange(len(ys), dtype=float), ys) for name, ys in values.items()}


def _lines(data: Mapping[str, tuple[np.ndarray, np.ndarray]], x_label: str, y_label: str, log: bool,
           levels: Mapping[str, float] | None = None, behind: np.ndarray | None = None) -> Plot:  # fmt: skip
    """A plot with all the lines, their markers and their names; `levels`: named heights, drawn across; `behind`: lines
    (n, points), thin and without names."""
    if not data:
        raise ValueError("there is nothing to draw: give at least one line by name")
    for name, (xs, ys) in data.items():
        if len(xs) != len(ys):
            raise ValueError(f"{name}: {len(xs)} numbers for x and {len(ys)} for y: give as many of both")
    levels = levels or {}
    thin = [] if behind is None else [[float(v) for v in row] for row in behind]
    x = scale([float(v) for xs, _ in data.values() for v in xs], 0, WIDE, tight=True)
    shown = [float(v) for _, ys in data.values() for v in ys] + [v for row in thin for v in row]
    y = scale([*levels.values(), *shown], 0, HIGH, log)
    plot, ends = Plot("plot", x, y, 0, HIGH), []
    plot.axes(x_label, y_label)
    for i, row in enumerate(thin):
        plot.line(f"thin{i}", range(len(row)), row, SERIES[0], width=0.7, markers=0, colour="#a8b0bd")
    plot.missing = 0  # what is hidden behind is no gap
    for name, level in levels.items():
        height = y.at(level)
        assert height is not None
        plot.stroke(name, [(0, height), (WIDE, height)], INK, 0.9, dashed=True)
        ends.append((name, (WIDE, height), INK))
    for i, (name, (xs, ys)) in enumerate(data.items()):
        series = SERIES[i % len(SERIES)]
        plot.line(name, [float(v) for v in xs], [float(v) for v in ys], series, phase=i / len(data))
        seen = [(px, py) for u, v in zip(xs, ys, strict=True) if (px := x.at(float(u))) is not None
                and (py := y.at(float(v))) is not None]  # fmt: skip
        ends.append((name, seen[-1] if seen else (WIDE, HIGH / 2), series.colour if seen else GREY))
    plot.names(ends)
    return plot
