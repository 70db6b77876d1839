"""What a row came to, and a whole run, to and from JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

UNSTEADY = 1.5  # from the smallest ratio of a row to its largest


@dataclass
class Result:
    """One row. `ours[k]` and `peers[k]` are of the same round, one after the other. `note` says why there is nothing,
    or less than expected, to be seen; `broken` that this is a fault and not just something that is not installed."""

    name: str
    peer: str
    ours: list[float] = field(default_factory=list)
    peers: list[float] = field(default_factory=list)
    unit: str = "ms"
    at_most: float | None = None
    note: str = ""
    broken: bool = False

    @classmethod
    def of(cls, told: dict[str, Any]) -> Result:
        """From what the `rows()` of a module gives: a dict of these names, numbers for lists where there was one round.

        Raises KeyError for a name that is not one.
        """
        strange = sorted(set(told) - set(cls.__dataclass_fields__))
        if strange:
            raise KeyError(f"a row is told by {', '.join(cls.__dataclass_fields__)}, not by {', '.join(strange)}")
        lists = {name: list(told[name]) if isinstance(told[name], Sequence) else [told[name]]
                 for name in ("ours", "peers") if name in told}  # fmt: skip
        return cls(**told | lists)

    @property
    def ratios(self) -> list[float]:
        """One for each round that was finished."""
        return [a / b for a, b in zip(self.ours, self.peers, strict=False)]

    @property
    def ratio(self) -> float | None:
        """The median over the rounds."""
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def verdict(self) -> str:
        """In words, or empty where nothing was asked."""
        if self.ratio is None or self.at_most is None:
            return ""
        return "holds" if self.ratio <= self.at_most else "misses"

    @property
    def words(self) -> str:
        """The verdict, the rounds that say otherwise, and whether ratios lie so far apart that something else must have
        used the machine."""
        words = [self.verdict] if self.verdict else []
        agreeing = sum((ratio <= (self.at_most or 0)) == (self.verdict == "holds") for ratio in self.ratios)
        if self.verdict and agreeing < len(self.ratios):
            words.append(f"in {agreeing} of {len(self.ratios)} rounds")
        if self.ratios and max(self.ratios) > UNSTEADY * min(self.ratios):
            words.append("unsteady")
        return ", ".join(words)


@dataclass(frozen=True)
class Point:
    """A point of the curves of growth: one training step of `kernel` over T steps of time."""

    kernel: str
    T: int
    ms: float
    MB: float


@dataclass
class Report:
    """A whole run. `how` says how it was measured, in words."""

    machine: dict[str, Any]
    how: str
    rows: list[Result] = field(default_factory=list)
    growth: list[Point] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """As JSON, with each row's ratio, their spread and the verdict beside what they come from."""
        told = asdict(self)
        for row, result in zip(told["rows"], self.rows, strict=True):
            row |= {"ratio": result.ratio, "ratios": result.ratios, "verdict": result.words}
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Report:
        """What `save` wrote."""
        told = json.loads(path.read_text(encoding="utf-8"))
        rows = [Result(**{name: row[name] for name in Result.__dataclass_fields__}) for row in told["rows"]]
        return cls(told["machine"], told["how"], rows, [Point(**point) for point in told["growth"]])
