"""Nested arguments and answers as flat tables of arrays: "p.W_xh" stands in a dict p, "grads.0" in a list grads.

The child process loads this file without its package's __init__: standard library and NumPy only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from .channel import MAX_ARRAYS, MAX_DIMENSIONS, type_code

MAX_DEPTH, MAX_NAME = 8, 100

# Bound here: what a learner's code puts in their places does not reach them.
_ndarray, _asarray = np.ndarray, np.asarray
_numbers = {bool, int, float, *(np.dtype(code).type for code in "?bBhHiIlLqQefd")}
_name_of = type.__dict__["__name__"].__get__


class TooLarge(Exception):
    """The answer is larger than what may be sent."""


def type_name(value: object) -> str:
    """The name of a value's type, whatever its metaclass says."""
    return _name_of(type(value))[:MAX_NAME]


def nested(entries: Iterable[tuple[str, str, Any]], arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """A function's arguments from their dotted names; where all names at a place are digits, a list.

    entries: (name, kind, value), the kind being "array" (then in `arrays`), "plain", or an empty "dict" or "list".

    >>> nested([("p.b", "plain", 1), ("xs.0", "plain", "o"), ("xs.1", "list", None)], {})
    {'p': {'b': 1}, 'xs': ['o', []]}
    """
    tree: dict[str, Any] = {}
    for name, kind, value in entries:
        *path, last = name.split(".")
        place = tree
        for part in path:
            place = place.setdefault(part, {})
        place[last] = {"array": arrays.get(name), "plain": value, "dict": {}, "list": []}[kind]
    return {name: _with_lists(value) for name, value in tree.items()}


def _with_lists(tree: Any) -> Any:
    if type(tree) is not dict:
        return tree
    below = {name: _with_lists(value) for name, value in tree.items()}
    if below and all(name.isdecimal() for name in below):
        return [below[name] for name in sorted(below, key=int)]
    return below


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays agree to the last bit, NaN with NaN too."""
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def room(size: int) -> np.ndarray:
    """`size` bytes of address space that no page of memory stands behind yet."""
    return np.empty(size, dtype=np.uint8)


def structure(value: Any) -> str:
    """Whether a function returned a "dict", a "tuple", a "list" or "one" value.

    >>> structure((1, 2)), structure(1.0), structure([[1.0, 2.0]])
    ('tuple', 'one', 'one')
    """
    for kind in (dict, tuple, list):
        if issubclass(type(value), kind) and not _is_table(value):
            return kind.__name__
    return "one"


def _is_table(value: Any, depth: int = 0) -> bool:
    """A list of lists of numbers: meant as an array, and announced as a list."""
    if not issubclass(type(value), (list, tuple)) or not value or depth == MAX_DEPTH:
        return False
    return all(_is_row(row) or _is_table(row, depth + 1) for row in value)


def _is_row(value: Any) -> bool:
    return issubclass(type(value), (list, tuple)) and len(value) > 0 and all(type(x) in _numbers for x in value)


def flatten(value: Any, bytes_cap: int) -> tuple[dict[str, list[Any]], dict[str, np.ndarray], str]:
    """(leaves, arrays, what is too much): every place of `value` as [type, dtype, shape], and what can travel.

    Types are taken exactly: what merely behaves like an array is announced by its name alone. With too many values
    or bytes, the third is a sentence, and the leaves are those found so far.

    >>> flatten({"dW": np.ones((2, 3)), "loss": 0.5, "hint": None}, 1000)[0]
    {'dW': ['ndarray', 'float64', (2, 3)], 'loss': ['float', 'float64', ()], 'hint': ['NoneType', None, None]}
    """
    leaves: dict[str, list[Any]] = {}
    arrays: dict[str, np.ndarray] = {}
    try:
        for path, part in places(value):
            _announce(part, path, leaves, arrays, bytes_cap)
    except TooLarge as problem:
        return leaves, {}, str(problem)
    return leaves, arrays, ""


def _announce(value: Any, path: str, leaves: dict[str, Any], arrays: dict[str, Any], cap: int) -> None:
    if len(leaves) >= MAX_ARRAYS:
        raise TooLarge(f"more than {MAX_ARRAYS} values")
    leaves[path] = [type_name(value), None, None]
    kind = type(value)
    if not (kind is _ndarray or kind in _numbers) or (kind is int and not -(2**63) <= value < 2**63):
        return
    array = _asarray(value)
    leaves[path] = [type_name(value), str(array.dtype)[:MAX_NAME], array.shape]
    if type_code(array.dtype) is not None and array.ndim <= MAX_DIMENSIONS:
        arrays[path] = array
        total = sum(a.nbytes for a in arrays.values())
        if total > cap:
            raise TooLarge(f"arrays of {total} bytes; at most {cap}")


def places(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of every place in nested dicts, lists and tuples; of a bare value, the name is "".

    An empty list or dict is a place of its own, unless it is all there is; so is a list of lists of numbers.

    >>> dict(places({"p": {"b": 1.0}, "grads": [2.0, []]}))
    {'p.b': 1.0, 'grads.0': 2.0, 'grads.1': []}
    """
    parts = _parts(value) if depth < MAX_DEPTH and structure(value) != "one" else None
    if parts or (parts is not None and depth == 0):
        for name, part in parts:
            yield from places(part, f"{path}.{name}" if path else name, depth + 1)
    else:
        yield path, value


def _parts(value: Any) -> list[tuple[str, Any]] | None:
    """(name, part) of a dict, a tuple or a list; None of a dict whose keys are no names."""
    if issubclass(type(value), dict):
        pairs = list(dict.items(value))
        if not all(type(key) in (str, int) and len(str(key)) <= MAX_NAME for key, _ in pairs):
            return None
        return [(str(key), part) for key, part in pairs]
    iterate = tuple.__iter__ if issubclass(type(value), tuple) else list.__iter__
    return [(str(index), part) for index, part in enumerate(iterate(value))]
