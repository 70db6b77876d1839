"""What the tour is made of: parts, each with blocks for the page and numbers for the JSON; and the time they take."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...pictures import Drawing


@dataclass(frozen=True)
class Prose:
    """A paragraph. `backticks` are code, *stars* emphasis."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A drawing with its caption; `name` is the file in figures/, without suffix, and its id on the page."""

    name: str
    drawing: Drawing
    caption: str


@dataclass(frozen=True)
class Listing:
    """Source code."""

    code: str
    title: str


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; the first column names the row."""

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    caption: str = ""


@dataclass(frozen=True)
class Samples:
    """What a model wrote at several moments of its training: (when, text)."""

    title: str
    written: Sequence[tuple[str, str]]


Block = Prose | Picture | Listing | Table | Samples


@dataclass
class Part:
    """A section of the page. `summary` is one sentence for the top of the page."""

    key: str
    title: str
    summary: str = ""
    blocks: list[Block] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)


class Clock:
    """How long something may take: `while clock: ...`. At least `least` rounds are granted, so that there is something
    to show on a slow machine."""

    def __init__(self, seconds: float, least: int = 3) -> None:
        self.seconds, self.least, self.rounds = seconds, least, 0
        self.start = time.perf_counter()

    @property
    def passed(self) -> float:
        return time.perf_counter() - self.start

    @property
    def share(self) -> float:
        """How much of the time is gone, 0 to 1."""
        return min(1.0, self.passed / self.seconds)

    def __bool__(self) -> bool:
        self.rounds += 1
        return self.rounds <= self.least or self.passed < self.seconds


def plain(x: Any) -> Any:
    """What JSON can say: arrays as lists, floats with six digits, and None where a number is not finite."""
    if isinstance(x, Mapping):
        return {str(key): plain(value) for key, value in x.items()}
    if isinstance(x, np.ndarray):
        return plain(x.tolist())
    if isinstance(x, (list, tuple)):
        return [plain(value) for value in x]
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if isinstance(x, (float, np.floating)):
        return float(f"{float(x):.6g}") if math.isfinite(x) else None
    return int(x) if isinstance(x, np.integer) else x
