"""What a way is: one road to a piece of work that several roads lead to."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Work = Callable[[], float | None]


@dataclass(frozen=True)
class Way:
    """`build(**sizes)` gives a closure that does the work once, and returns its loss (None: it has none).

    `label` is what tables call it. `needs` is the module without which it cannot run. With `times_itself`, the closure
    returns the seconds that it took instead: it measures inside a process that it starts. `ready` says, in words, what
    else is not there; `environment` is set in the process that measures it.
    """

    build: Callable[..., Work]
    label: str
    needs: str = "numpy"
    times_itself: bool = False
    ready: Callable[[], str] = lambda: ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> str:
        """Empty, or in words what is not there."""
        return self.ready() if importlib.util.find_spec(self.needs) else f"{self.needs} is not installed"
