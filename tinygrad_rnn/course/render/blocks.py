"""What a page is made of: parts, each with blocks to be shown and numbers for the JSON beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...pictures import Drawing


@dataclass(frozen=True)
class Prose:
    """A paragraph. `backticks` are code, *stars* emphasis."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A drawing with its caption; `name` is the file in figures/, without suffix, and its id on the page."""

    name: str
    drawing: Drawing
    caption: str


@dataclass(frozen=True)
class Listing:
    """Source code."""

    code: str
    title: str


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; the first column names the row. `words`: cells hold sentences, which may wrap."""

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    caption: str = ""
    words: bool = False


@dataclass(frozen=True)
class Samples:
    """What a model wrote at several moments of its training: (when, text)."""

    title: str
    written: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class File:
    """Something that was written beside the page: SVG is shown, text too, and anything else is linked to."""

    path: str
    content: str


Block = Prose | Picture | Listing | Table | Samples | File


@dataclass
class Part:
    """A section of the page. `summary` is one sentence for the top of the page."""

    key: str
    title: str
    summary: str = ""
    blocks: list[Block] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)


def plain(x: Any) -> Any:
    """What JSON can say: arrays as lists, floats with six digits, and None where a number is not finite."""
    if isinstance(x, Mapping):
        return {str(key): plain(value) for key, value in x.items()}
    if isinstance(x, np.ndarray):
        return plain(x.tolist())
    if isinstance(x, (list, tuple)):
        return [plain(value) for value in x]
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if isinstance(x, (float, np.floating)):
        return float(f"{float(x):.6g}") if math.isfinite(x) else None
    return int(x) if isinstance(x, np.integer) else x
