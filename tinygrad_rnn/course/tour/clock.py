"""The time that the tour's parts may take."""

from __future__ import annotations

import time


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
