"""What the commands share: the program's name, and the ways in which one ends early."""

from __future__ import annotations

import sys

NAME = "tinygrad-rnn"
INSTALL = "pip install 'tinygrad_rnn[course]'"


class Stopped(Exception):
    """Ctrl-C, and what became of the work."""


def failed(line: str, code: int) -> int:
    """Say on stderr, in one line, what went wrong."""
    print(f"{NAME}: {' '.join(line.split())}", file=sys.stderr)
    return code
