"""Answers as flat tables of arrays, and the marks by which two answers are told to be the same one.

A lesson ships what each known mistake does with each case, so that a wrong answer is recognised offline. Marks do that
in four numbers an output (its kind, two random projections, its size), from which nobody reads how to make it right.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ..runner.trees import places

WIDTH = 4  # numbers in a mark
LARGEST = 1 << 16  # entries
CLOSE = 1e-6  # relative; answers of one mistake differ by rounding alone, answers of two by far more


def flatten(value: Any) -> dict[str, Any]:
    """The places of nested dicts, lists and tuples by dotted name, as the runner names them.

    >>> flatten({"p": {"b": 1.0}, "grads": [2.0, 3.0]})
    {'p.b': 1.0, 'grads.0': 2.0, 'grads.1': 3.0}
    """
    return dict(places(value))


def named(values: Mapping[str, Any], layout: str, names: tuple[str, ...]) -> dict[str, Any]:
    """What a function returned, flat, under the names that the manifest gives: part 0 of a tuple is `names[0]`.

    >>> named({"0.0": 1.0, "0.1": 2.0, "1": 3.0}, "tuple", ("grads", "norm"))
    {'grads.0': 1.0, 'grads.1': 2.0, 'norm': 3.0}
    """
    if layout == "dict":
        return dict(values)
    tops = tuple(dict.fromkeys(name.partition(".")[0] for name in names))
    if layout == "one":
        return {f"{tops[0]}.{path}".rstrip("."): value for path, value in values.items()}
    renamed = {}
    for path, value in values.items():
        head, dot, rest = path.partition(".")
        top = tops[int(head)] if head.isdigit() and int(head) < len(tops) else f"part {head or 0}"
        renamed[f"{top}{dot}{rest}"] = value
    return renamed


@lru_cache(maxsize=128)
def _directions(size: int) -> np.ndarray:
    """Two directions in which an array of `size` entries is projected, the same for ever."""
    return np.random.Generator(np.random.PCG64(size)).standard_normal((2, size)) / np.sqrt(max(size, 1))


def mark(value: Any) -> np.ndarray:
    """The mark (4,) of an array: a code for its shape, two projections, its root mean square."""
    array = np.asarray(value, dtype=np.float64)
    finite = np.isfinite(array)
    kind = f"{array.shape} {array.size - int(finite.sum())}"
    if array.size > LARGEST:  # larger than any right answer: its shape says enough
        return mark_of_failure(kind)
    flat = np.where(finite, array, 0.0).ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.sqrt(np.mean(flat**2)) if flat.size else 0.0
        return np.array([_code(kind), *(_directions(flat.size) @ flat), size])


def mark_of_failure(what: str) -> np.ndarray:
    """The mark of an answer that is none: an exception's type, or an output that is missing."""
    return np.array([_code(what), 0.0, 0.0, 0.0])


def _code(kind: str) -> float:
    return float(zlib.crc32(kind.encode()))


def marked(outputs: Mapping[str, Any], output: str, failure: str = "") -> np.ndarray:
    """The mark of one output of an answer, or of what stands in its place."""
    if failure or output not in outputs:
        return mark_of_failure(failure or "missing")
    try:
        return mark(outputs[output])
    except (TypeError, ValueError):
        return mark_of_failure(f"a {type(outputs[output]).__name__}")


def same(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Whether marks (..., 4) agree: equal in kind, and in value to rounding. Shape (...)."""
    near = CLOSE * np.maximum(left[..., 3:], right[..., 3:]) + 1e-12
    with np.errstate(invalid="ignore"):
        return (left[..., 0] == right[..., 0]) & (np.abs(left[..., 1:] - right[..., 1:]) <= near).all(axis=-1)
