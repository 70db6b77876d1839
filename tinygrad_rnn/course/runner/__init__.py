"""Runs a learner's code in a process of its own: arrays go in, arrays come out, and nothing that comes is believed.

The child process never says whether an answer is right, and never sees what would be right; whoever asked compares.
"""

from __future__ import annotations

from .answers import Answer, Error, Leaf, Limits
from .platforms import missing_limits
from .process import Child

__all__ = ["Answer", "Child", "Error", "Leaf", "Limits", "missing_limits"]
