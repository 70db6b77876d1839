"""Frames of plain arrays between two processes that need not trust each other.

A frame is

    u32 length of the header | header, JSON in UTF-8 | the bytes of the arrays, little-endian and in C order

where the header's "arrays" announces what follows: [[name, type, shape], ...], type being one of `TYPES` ("f8", "b1").
Whoever receives believes nothing: each announcement is checked before a byte of memory is set aside for it. No pickle,
no archive; what can arrive is names, numbers and text.

The child process loads this file by its path and does not see the package: standard library and NumPy only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from math import prod
from struct import Struct
from typing import Any, Protocol

import numpy as np

MAX_ARRAYS = 256  # lists over the steps of a long sequence fit
MAX_DIMENSIONS = 8
ANSWER_HEADER = 64 * 1024
REQUEST_HEADER = 16 * 1024 * 1024  # carries the exercise's source
TYPES = {
    "b1": np.dtype(bool),
    **{code: np.dtype(f"<{code}") for code in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")},
}

_LENGTH = Struct("<I")
_encode, _decode = json.JSONEncoder(separators=(",", ":")).encode, json.JSONDecoder().decode
_asarray, _empty = np.asarray, np.empty  # bound here: what a learner's code does to numpy does not reach them


class Garbled(ValueError):
    """What came through the channel is no frame."""


class Source(Protocol):
    """An unbuffered binary stream."""

    def readinto(self, buffer: Any, /) -> int | None: ...


def type_code(dtype: np.dtype) -> str | None:
    """The announcement of a dtype, or None where such arrays do not travel.

    >>> type_code(np.dtype(">f4")), type_code(np.dtype(complex))
    ('f4', None)
    """
    code = f"{dtype.kind}{dtype.itemsize}"
    return code if code in TYPES else None


def encode(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray], header_cap: int = REQUEST_HEADER) -> bytes:
    """One frame as bytes. ValueError where an array's dtype does not travel or the header is longer than its cap."""
    announced, parts = [], []
    for name, array in arrays.items():
        code = type_code(array.dtype)
        if code is None:
            raise ValueError(f"{name}: {array.dtype} arrays do not travel")
        announced.append([name, code, array.shape])
        parts.append(_asarray(array, dtype=TYPES[code], order="C").tobytes())
    text = _encode({**header, "arrays": announced}).encode()
    if len(text) > header_cap:
        raise ValueError(f"a header of {len(text)} bytes; at most {header_cap}")
    return b"".join([_LENGTH.pack(len(text)), text, *parts])


def receive(source: Source, header_cap: int, bytes_cap: int) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """The next frame of `source` as (header, arrays by name); None at its end.

    Garbled, with one line, where what comes is no frame, is cut short, or is larger than the caps.
    """
    length = _read(source, _LENGTH.size, may_end=True)
    if not length:
        return None
    (size,) = _LENGTH.unpack(length)
    if size > header_cap:
        raise Garbled(f"a header of {size} bytes; at most {header_cap}")
    try:
        header = _decode(_read(source, size).decode())
    except Garbled:
        raise
    except (ValueError, RecursionError):
        raise Garbled("the header is no JSON") from None
    if not isinstance(header, dict):
        raise Garbled("the header is no JSON object")
    announced = _checked(header.pop("arrays", None), bytes_cap)
    return header, {name: _array(source, code, shape) for name, (code, shape) in announced.items()}


def _checked(announced: object, bytes_cap: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """What is announced, if all of it can be believed: name -> (type, shape)."""
    if not isinstance(announced, list) or len(announced) > MAX_ARRAYS:
        raise Garbled(f"no list of at most {MAX_ARRAYS} arrays is announced")
    found: dict[str, tuple[str, tuple[int, ...]]] = {}
    total = 0
    for entry in announced:
        if not isinstance(entry, list) or len(entry) != 3:
            raise Garbled("an array is announced without its name, type and shape")
        name, code, shape = entry
        if not isinstance(name, str) or name in found:
            raise Garbled("an array's name is no text, or is there twice")
        if not isinstance(code, str) or code not in TYPES:
            raise Garbled("an array is announced with a type that does not travel")
        if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
            raise Garbled(f"an array's shape is no list of at most {MAX_DIMENSIONS} numbers")
        if not all(type(n) is int and 0 <= n <= max(bytes_cap, 1) for n in shape):
            raise Garbled("an array's shape holds something other than lengths that fit")
        if prod(n or 1 for n in shape) * TYPES[code].itemsize > sys.maxsize:
            raise Garbled("an array's shape is larger than can be counted")  # NumPy counts past a length of 0
        total += prod(shape) * TYPES[code].itemsize
        if total > bytes_cap:
            raise Garbled(f"the arrays are larger than {bytes_cap} bytes")
        found[name] = (code, tuple(shape))
    return found


def _array(source: Source, code: str, shape: tuple[int, ...]) -> np.ndarray:
    dtype = TYPES[code]
    flat = _empty(prod(shape) * dtype.itemsize, dtype=np.uint8)
    _fill(source, flat.data)
    if code == "b1":
        return (flat != 0).reshape(shape)  # a byte of 2 would be a third truth value
    return flat.view(dtype).reshape(shape)


def _read(source: Source, size: int, may_end: bool = False) -> bytes:
    data = bytearray(size)
    if not _fill(source, memoryview(data), may_end):
        return b""
    return bytes(data)


def _fill(source: Source, view: memoryview, may_end: bool = False) -> bool:
    """Fill `view`; False where the source ends before its first byte and may. Garbled where it ends later."""
    filled = 0
    while filled < len(view):
        count = source.readinto(view[filled:])
        if not count:
            if may_end and not filled:
                return False
            raise Garbled("the frame is cut short")
        filled += count
    return True
