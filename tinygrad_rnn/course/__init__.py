"""The course: lessons, exercises and the machine that grades them; and whole models at work, of which the tour and
the command line are made.

    from tinygrad_rnn.course import lesson     the first line of every lesson's notebook
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .notebook import lesson as lesson

__all__ = ["lesson"]


def __getattr__(name: str) -> Any:
    """`lesson`, loaded when first used: a character model needs no grader."""
    if name == "lesson":
        from .notebook import lesson

        return lesson
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
