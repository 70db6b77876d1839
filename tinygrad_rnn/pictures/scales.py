"""Where a number stands on an axis, and how it is written.

Numbers that an axis cannot hold are shown, not dropped: 0 has a row of its own under the decades of a logarithmic one,
infinity one above all others. Only NaN has no place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Scale", "number", "scale", "tick"]

ROW = 26.0  # height of the row for 0 and of that for infinity, in points


def number(value: float) -> str:
    """A number in a sentence, with three digits at most: 0.25, 12, 3.1e-7, 0, ∞, NaN.

    >>> [number(x) for x in (0.2512, 12.0, 3.14e-7, 0.0)]
    ['0.251', '12', '3.1e-7', '0']
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits.removesuffix('.0')}e{int(power)}"


def tick(value: float, log: bool) -> str:
    """A number at an axis; decades far from 1 as 1e-3."""
    power = round(math.log10(value)) if log else 0
    far = log and abs(power) > 2 and abs(value / 10.0**power - 1) < 1e-3 if log and -300 < power < 300 else log
    if log:
        return f"1e{power}" if far else number(value)
    digits, _, exponent = f"{value:.10g}".partition("e")
    return f"{digits}e{int(exponent)}" if exponent else digits


@dataclass(frozen=True, slots=True)
class Scale:
    """Which point of the page stands for a number: from `start` (for `low`) to `end` (for `high`).

    `zero` and `infinity`: the places of the rows for what has no place among the others, None where nothing needs them.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    zero: float | None = None
    infinity: float | None = None

    def at(self, value: float) -> float | None:
        """The place of a number in points; None for NaN, and for what has no place."""
        if math.isnan(value) or (value < 0 and self.log):
            return None
        if value == 0 and self.log:
            return self.zero
        if math.isinf(value) or abs(value) > _most(self.log):
            return self.infinity if value > 0 else None
        low, high, value = (math.log10(max(x, self.low)) if self.log else x for x in (self.low, self.high, value))
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self, most: int = 6) -> list[tuple[str, float]]:
        """Labels and places: whole decades, or round numbers; at most about `most`, and the rows of 0 and infinity."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            every = next(n for n in (1, 2, 3, 5, 10, 20, 50, 100, 200) if (last - first) / n <= most)
            values = [float(f"1e{power}") for power in range(last, first - 1, -every)]
            if math.log10(self.high / self.low) < 2.2:  # too few decades to read from: 1, 2, 5, 10, ...
                near = (float(f"{digit}e{power}") for power in range(first - 1, last + 1) for digit in (1, 2, 5))
                values = [v for v in near if self.low * 0.999 <= v <= self.high * 1.001]
        else:
            size = _round((self.high - self.low) / most)
            first, last = math.ceil(self.low / size - 1e-9), math.floor(self.high / size + 1e-9)
            values = [size * i for i in range(first, last + 1)]
        found = [(tick(value, self.log), self.at(value)) for value in values]
        found += [("0", self.zero), ("∞", self.infinity)]
        return [(text, place) for text, place in found if place is not None]


def scale(values: Iterable[float], start: float, end: float, log: bool = False,
          tight: bool = False) -> Scale:  # fmt: skip
    """The axis that shows all `values`: whole decades, or, unless `tight`, round ends."""
    values = list(values)
    usable = [max(v, 1e-300) if log else v for v in values if abs(v) <= _most(log) and (v > 0 or not log)]
    zero = start + 8 if log and 0 in values else None
    infinity = end - 8 if any(v > _most(log) for v in values) else None
    low, high = (min(usable), max(usable)) if usable else (0.1 if log else 0.0, 1.0)
    if not log and not tight and high - low <= max(1e-290, 1e-6 * abs(high)):  # rounding, or a single number
        room = 0.5 * abs(high) if abs(high) > 1e-280 else 0.5
        low, high = low - room if low < 0 else max(0.0, low - room), high + room
    if log and not tight:
        low, high = _decades(low, high)
    elif not log and not tight and high > low:
        size = _round((high - low) / 5)
        low, high = size * math.floor(low / size + 1e-9), size * math.ceil(high / size - 1e-9)
    if low >= high:
        low, high = (low / 10, high) if log else (low - 0.5, high + 0.5)
    return Scale(low, high, start + ROW if zero is not None else start, end - ROW if infinity is not None else end, log,
                 zero, infinity)  # fmt: skip


def _most(log: bool) -> float:
    """The largest number that an axis shows in its place; what is larger shares the row of infinity."""
    return 1e307 if log else 1e300


def _decades(low: float, high: float) -> tuple[float, float]:
    """Round ends of a logarithmic axis: whole decades, or 1, 2, 5 times one where there are not two of them."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    if last - first > 2 or low >= high:
        return float(f"1e{max(-323, first)}"), float(f"1e{min(308, last)}")
    rounds = [float(f"{digit}e{power}") for power in range(first, last + 1) for digit in (1, 2, 5)]
    return max(v for v in rounds if v <= low * 1.001), min(v for v in rounds if v >= high * 0.999)


def _round(size: float) -> float:
    """The next of 1, 2, 5, 10, 20, ... that is not smaller."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= size * 0.999)
