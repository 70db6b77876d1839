"""A verdict: what became of one exercise, as data. How it looks in a terminal or a notebook is said in `render`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any, Literal

Kind = Literal[
    "right",  # in every case, by hand
    "not attempted",  # the stub is as it was
    "error",  # the learner's code raised, or could not be read
    "stopped",  # out of time, memory or output, or the process died
    "wrong type",
    "wrong shape",
    "not finite",
    "changed input",
    "mistake",  # wrong in a way that has a name
    "numerical",  # right, but by finite differences or complex step
    "not by hand",  # right or not, it called an autograd engine
    "wrong value",
]


@dataclass(frozen=True)
class CheckResult:
    """One check of the exercise: whether its outputs were right in every case, and what that earned."""

    name: str
    points: float
    earned: float
    passed: bool


@dataclass(frozen=True)
class Place:
    """Where an answer is first wrong, in the order in which backpropagation runs."""

    case: str
    output: str
    index: tuple[int, ...]  # of the entry that is furthest off, at the first wrong step
    axes: tuple[str, ...]  # the names of the output's axes, as the manifest has them: ("T", "B", "H")
    step: int | None  # the first wrong step, from 0; None where the output has no axis of time
    steps: int | None  # how many there are
    expected: float
    got: float
    off: float  # the difference over the largest expected entry


@dataclass(frozen=True, repr=False)
class Verdict:
    """What became of one exercise.

    `lines` are the sentences that a learner reads, the most important first; `mistakes` the names found: one, several
    made together, or none; with `certain=False` they are candidates. `file` and `saved` say which code was read.
    """

    lesson: str
    exercise: int
    title: str
    part: str
    kind: Kind
    points: float
    earned: float
    lines: tuple[str, ...]
    checks: tuple[CheckResult, ...] = ()
    mistakes: tuple[str, ...] = ()
    certain: bool = True
    place: Place | None = None
    figure: str | None = None  # which unrolled graph shows the place: "elman" or "lstm"
    edge: str | None = None  # the quantity whose line is wrong first, where that is not the place's output
    file: Path | None = None
    saved: datetime | None = None
    seconds: float = 0.0
    printed: str = ""

    @property
    def key(self) -> str:
        """`bptt.2`"""
        return f"{self.lesson}.{self.exercise}"

    @property
    def right(self) -> bool:
        """Right in every case, by hand."""
        return self.kind == "right"

    @property
    def passes(self) -> bool:
        """Whether a run of checks may end well: it is right, or nobody asked for it."""
        return self.right or (self.part == "extra" and self.kind == "not attempted")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, for reports and exports; numbers that JSON does not know ("nan", "inf") as text."""
        return {
            **_plain(asdict(self)),
            "file": self.file.name if self.file else None,
            "saved": self.saved.isoformat(timespec="seconds") if self.saved else None,
        }

    def __repr__(self) -> str:
        return f"<Verdict {self.key}: {self.kind}, {self.earned:g} of {self.points:g} points>"

    def __str__(self) -> str:
        from .render import terminal

        return terminal.spelled(self)

    def _repr_html_(self) -> str:
        from .render import html

        return html.spelled(self)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, float) and not isfinite(value) else value
