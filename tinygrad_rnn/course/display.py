"""How a training shows itself on stderr: a bar on a terminal, a line at each validation elsewhere."""

from __future__ import annotations

import os
import sys
from typing import Any, Self

from .training import Progress

BAR = 10  # characters wide


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
            said = line(progress, self.validation, self.bar.console.width - BAR - len("  100% "))
            self.bar.update(self.task, completed=progress.part, total=1, description=said)
        elif fresh or progress.left == 0:
            tell(line(progress, self.validation))


def tell(line: str) -> None:
    """A line on stderr. Where nobody reads it any more, the work goes on all the same."""
    try:
        print(line, file=sys.stderr, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def line(p: Progress, validation: float | None, width: int | None = None) -> str:
    """`step 100/300  loss 2.410 nats, 3.480 bits/char (validation 3.520)  83,000 chars/s  0:12 left`, or as much of it
    as fits into `width` characters: the speed goes first, then the nats, then the validation."""
    steps = f"/{p.steps}" if p.steps else ""
    score = f" (validation {validation:.3f})" if validation is not None else ""
    minutes, seconds = divmod(round(p.left), 60)
    begin, end = f"step {p.step}{steps}  ", f"  {minutes}:{seconds:02d} left"
    short = f"{p.bits:.3f} bits/char"
    loss = f"loss {p.loss:.3f} nats, {short}{score}"
    ways = (f"{loss}  {p.speed:,.0f} chars/s", loss, short + score, short)
    return next((begin + said + end for said in ways if width is None or len(begin + said + end) <= width),
                begin + ways[-1] + end)  # fmt: skip


def _bar() -> Any:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
    except ImportError:
        return None
    columns = (BarColumn(bar_width=BAR), TextColumn("{task.percentage:>3.0f}%"), TextColumn("{task.description}"))
    return Progress(*columns, console=Console(stderr=True))
