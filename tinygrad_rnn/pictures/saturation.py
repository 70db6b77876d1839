"""How often gates are shut or wide open: a point a unit, a plot a gate."""

from __future__ import annotations

from collections.abc import Mapping

from ..flow import Saturation
from .plot import SERIES, Chart, Plot, chart
from .scales import Scale

__all__ = ["saturation_chart"]

SIDE, GAP = 140.0, 68.0  # of a plot, and between two, in points


def saturation_chart(gates: Mapping[str, Saturation], title: str = "Gates that are shut or wide open",
                     about: str | None = None) -> Chart:  # fmt: skip
    """For each gate by name the part of the time that each unit's is shut (left-saturated, below 0.1) against the part
    that it is wide open (right-saturated, above 0.9), what `flow.gate_saturation` measures.

    The figure of Karpathy, Johnson & Fei-Fei (2015), section 4.2. On the dashed line a gate is always one or the other:
    a switch. At the origin it is neither, ever. Raises ValueError where there is no gate.
    """
    if not gates:
        raise ValueError("saturation_chart: there is nothing to draw: give at least one gate")
    plots = []
    for k, (name, each) in enumerate(gates.items()):
        left, series = k * (SIDE + GAP), SERIES[k % len(SERIES)]
        plot = Plot(name, Scale(0, 1, left, left + SIDE), Scale(0, 1, 0, SIDE), 0, SIDE)
        plot.axes("part of the time shut", "wide open", heading=f"gate {name}")
        plot.stroke("always", [(left, SIDE), (left + SIDE, 0)], "#9ca3af", 0.9, dashed=True)
        for unit, (shut, wide) in enumerate(zip(each.left.tolist(), each.right.tolist(), strict=True)):
            x, y = plot.x.at(shut), plot.y.at(wide)
            assert x is not None
            assert y is not None
            plot.mark(f"{unit}", x, y, series, f"unit {unit}: shut {shut:.0%}, wide open {wide:.0%} of the time")
        plots.append(plot)
    return chart(title, "\n".join(_told(name, each) for name, each in gates.items()), plots, about)


def _told(name: str, each: Saturation) -> str:
    shut, wide = ((part > 0.9).sum() for part in (each.left, each.right))
    return (f"{name}: shut {each.left.mean():.0%}, wide open {each.right.mean():.0%} of the time; of {len(each.left)} "
            f"units {shut} nearly always shut, {wide} nearly always open")  # fmt: skip
