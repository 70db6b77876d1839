"""What an experiment is: arms that compete, a trial of one of them, and claims that are counted over seeds.

    EXPERIMENT = Experiment(title=..., arms=(Arm("LSTM", rates=(0.01, 0.003)), ...), trial=trial, claims=(...), ...)

A trial is one arm at one learning rate from one seed. It is a function of these alone: its budget is a number of
updates, never a time, so that it can be run anywhere, in any order, and comes out the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Outcome = dict[str, Any]
"""What a trial found, in what JSON can say. "score" is always there: the lower the better."""

CHAPTERS = {
    "gradients": "Gradients that vanish and explode",
    "cells": "Cells that remember",
    "learning": "Ways of learning",
    "wirings": "Wirings",
    "grammars": "Grammars and programs",
    "images": "Deep networks and images",
    "generative": "Models that make things",
    "inside": "Looking inside",
}


@dataclass(frozen=True)
class Arm:
    """One of the systems that are compared. `rates` are the learning rates of which the best is chosen for it, on seeds
    that count for nothing else; without any, a trial is given None. `settings` is whatever makes it what it is."""

    name: str
    rates: tuple[float, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


class Size:
    """How large a run is: `seeds` that count, `pilots` on which each arm's rate is chosen (0: the middle one is taken),
    and whatever numbers the trial reads, as attributes.

    >>> Size(seeds=5, T=100).T
    100
    """

    def __init__(self, seeds: int, pilots: int = 0, **numbers: Any) -> None:
        self.seeds, self.pilots, self.numbers = seeds, pilots, numbers

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["numbers"][name]
        except KeyError:
            raise AttributeError(f"this size has no {name!r}: it has {', '.join(self.numbers)}") from None

    def __repr__(self) -> str:
        parts = {"seeds": self.seeds, "pilots": self.pilots, **self.numbers}
        return f"Size({', '.join(f'{name}={value!r}' for name, value in parts.items())})"


@dataclass(frozen=True)
class Claim:
    """A sentence that is true or false of each seed: `holds` is given the outcomes of one, by arm.

    `paper` is what was reported, where and at what size; `ours` says our figure of the same.
    """

    text: str
    holds: Callable[[Mapping[str, Outcome]], bool]
    paper: str
    ours: Callable[[Results], str]


@dataclass(frozen=True)
class Experiment:
    """An experiment of the lectures or their papers, at sizes that two cores finish in minutes.

    `trial(arm, rate, seed, size)` runs one; `figures(results)` draws: names to Drawings, or to SVG or HTML text.
    `chapter` is one of CHAPTERS. `needs` are modules of the extra `data` without which it cannot run. `seconds` is
    about what `full` takes on one core, in all.
    """

    title: str
    chapter: str
    source: str
    about: str
    arms: Sequence[Arm]
    trial: Callable[[Arm, float | None, int, Size], Outcome]
    claims: Sequence[Claim]
    figures: Callable[[Results], Mapping[str, Any]]
    quick: Size
    full: Size
    needs: tuple[str, ...] = ()
    seconds: float = 60.0

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names) or not names:
            raise ValueError(f"{self.title}: arms need different names, not {names}")
        if self.chapter not in CHAPTERS:
            raise ValueError(f"{self.title}: there is no chapter {self.chapter!r}: {', '.join(CHAPTERS)}")

    def size(self, scale: str) -> Size:
        """The size "quick" or "full"."""
        return self.quick if scale == "quick" else self.full


@dataclass
class Results:
    """All that an experiment found: `rates` by arm, `pilots` as (arm, rate, outcome), and for each seed the outcomes by
    arm."""

    size: Size
    rates: dict[str, float | None]
    pilots: list[tuple[str, float, Outcome]]
    seeds: list[dict[str, Outcome]]

    def of(self, arm: str, key: str) -> list[Any]:
        """One arm's value of a key, seed by seed."""
        return [outcomes[arm][key] for outcomes in self.seeds]

    def median(self, arm: str, key: str = "score") -> float:
        return float(np.median(self.of(arm, key)))

    def mean(self, arm: str, key: str = "score") -> tuple[float, float]:
        """Mean over the seeds, and its standard error (NaN with one seed)."""
        values = np.asarray(self.of(arm, key), float)
        error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
        return float(values.mean()), float(error)
