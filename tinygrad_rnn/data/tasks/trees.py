"""Nested expressions, as trees and as lines of text: what must be put together first is known to the tree alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Algebra:
    """What an expression is made of: the values 0, ..., n - 1, which are their own symbols, and binary operations,
    whose symbols are n, n + 1, ... in turn."""

    values: int
    operations: dict[str, Callable[[int, int], int]]

    @property
    def symbols(self) -> int:
        """How many symbols trees have; the brackets of `line` are two more."""
        return self.values + len(self.operations)

    @property
    def text(self) -> str:
        """The sign of each symbol, and of the brackets."""
        return "".join(map(str, range(self.values))) + "".join(self.operations) + "()"


def boolean() -> Algebra:
    """0 and 1 with and, or and exclusive or, under which half of all expressions come to 1."""
    return Algebra(2, {"&": lambda a, b: a & b, "|": lambda a, b: a | b, "^": lambda a, b: a ^ b})


def modular(n: int = 5) -> Algebra:
    """The integers modulo n with + and -: the value changes with every leaf. Raises ValueError unless 2 <= n <= 10."""
    if not 2 <= n <= 10:
        raise ValueError(f"modular: n must be from 2 to 10, whose values have one digit, not {n}")
    return Algebra(n, {"+": lambda a, b: (a + b) % n, "-": lambda a, b: (a - b) % n})


def expressions(rng: np.random.Generator, algebra: Algebra, depth: int, count: int) -> tuple[list[Any], np.ndarray]:
    """Random trees of exactly this depth, and their values (count,).

    A tree is a symbol or `(left, operation, right)`. Of each node's two sides, one, by a coin, is as deep as the depth
    needs; the other is of any depth up to that. A tree of depth d has from d + 1 to 2^d leaves. After S. Bowman, C.
    Potts and C. Manning ("Recursive Neural Networks Can Learn Logical Semantics", 2015, section 4), who test trees
    deeper than those that were learned. Who knows nothing answers `without_reading` right. Raises ValueError where
    depth < 0 or count < 1.

    >>> trees, values = expressions(np.random.default_rng(1), boolean(), depth=2, count=3)
    >>> [line(tree, boolean()) for tree in trees], values.tolist()
    (['(1^(0&1))', '(1|(1&0))', '(0^(1^1))'], [1, 1, 0])
    """
    if depth < 0 or count < 1:
        raise ValueError(f"expressions: needs depth >= 0 and count >= 1, not {depth} and {count}")
    trees = [_grow(rng, algebra, depth) for _ in range(count)]
    return trees, np.array([value(tree, algebra) for tree in trees])


def _grow(rng: np.random.Generator, algebra: Algebra, depth: int) -> Any:
    if depth == 0:
        return int(rng.integers(algebra.values))
    sides = [_grow(rng, algebra, depth - 1), _grow(rng, algebra, int(rng.integers(depth)))]
    if rng.random() < 0.5:
        sides.reverse()
    return (sides[0], algebra.values + int(rng.integers(len(algebra.operations))), sides[1])


def value(tree: Any, algebra: Algebra) -> int:
    """What an expression comes to."""
    if isinstance(tree, int):
        return tree
    left, symbol, right = tree
    operation = list(algebra.operations.values())[symbol - algebra.values]
    return operation(value(left, algebra), value(right, algebra))


def symbols_of(tree: Any, algebra: Algebra) -> list[int]:
    """An expression as a chain of symbols, with brackets around every node: what a network reads that knows no trees.
    The opening bracket is the symbol `algebra.symbols`, the closing one the next."""
    if isinstance(tree, int):
        return [tree]
    left, symbol, right = tree
    inner = [*symbols_of(left, algebra), symbol, *symbols_of(right, algebra)]
    return [algebra.symbols, *inner, algebra.symbols + 1]


def line(tree: Any, algebra: Algebra) -> str:
    """The same to be read by people: `(1^(0&1))`."""
    return "".join(algebra.text[symbol] for symbol in symbols_of(tree, algebra))


def without_reading(values: np.ndarray) -> float:
    """The share of right answers of who gives the commonest value always."""
    return float(np.bincount(values).max() / len(values))
