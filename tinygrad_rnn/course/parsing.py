"""Python source as a tree, from any thread."""

from __future__ import annotations

import ast
from threading import Lock

# Two threads that parse at once break CPython 3.11's count of its recursion (SystemError). NumPy parses too, the head
# of each array in a file.
ONE_AT_A_TIME = Lock()


def parse(source: str) -> ast.Module:
    """`ast.parse(source)`. Raises SyntaxError, and ValueError, RecursionError or MemoryError for hostile text."""
    with ONE_AT_A_TIME:
        return ast.parse(source)
