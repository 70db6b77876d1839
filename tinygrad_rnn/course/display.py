"""How a training shows itself on stderr: a bar on a terminal, a line at each validation elsewhere."""

from __future__ import annotations

import sys
from typing import Any, Self

from .training import Progress


class Display:
    """`with Display() as display: train(..., report=display)`. rich, where it is there, draws the bar and heeds
    NO_COLOR; `quiet` shows nothing."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.bar: Any = None
        self.validation: float | None = None

    def __enter__(self) -> Self:
        if not self.quiet and sys.stderr.isatty():
            self.bar = _bar()
        if self.bar is not None:
            self.bar.start()
            self.task = self.bar.add_task("", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, progress: Progress) -> None:
        if self.quiet:
            return
        fresh = progress.validation is not None
        self.validation = progress.validation if fresh else self.validation
        if self.bar is not None:
            self.bar.update(self.task, completed=progress.part, total=1, description=line(progress, self.validation))
        elif fresh or progress.left == 0:
            print(line(progress, self.validation), file=sys.stderr, flush=True)


def line(p: Progress, validation: float | None) -> str:
    """`step 100/300  loss 2.41 nats, 3.48 bits/char (validation 3.52)  83,000 chars/s  0:12 left`."""
    steps = f"/{p.steps}" if p.steps else ""
    score = f" (validation {validation:.3f})" if validation is not None else ""
    minutes, seconds = divmod(round(p.left), 60)
    return (f"step {p.step}{steps}  loss {p.loss:.3f} nats, {p.bits:.3f} bits/char{score}  {p.speed:,.0f} chars/s  "
            f"{minutes}:{seconds:02d} left")  # fmt: skip


def _bar() -> Any:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
    except ImportError:
        return None
    columns = (BarColumn(bar_width=20), TextColumn("{task.percentage:>3.0f}%"), TextColumn("{task.description}"))
    return Progress(*columns, console=Console(stderr=True))
