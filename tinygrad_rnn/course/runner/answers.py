"""What a call of a learner's function came to: an `Answer`, made from a frame that nobody has to believe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Literal, cast, get_args

import numpy as np

from .channel import Garbled

Outcome = Literal[
    "returned", "unfinished", "raised", "timeout", "memory", "output", "exited", "crashed", "garbled", "too_large"
]  # fmt: skip
Stage = Literal["import", "call"]
Structure = Literal["one", "dict", "tuple", "list"]

MESSAGE = 500  # characters of an exception's message
NAME = 200  # characters of a type's name, a path, a module's name


@dataclass(frozen=True)
class Limits:
    """What one call may use: seconds on the clock, address space (Python and NumPy alone take about 260 MB of it),
    printed text that is kept, bytes of its answer."""

    seconds: float = 5.0
    memory_mb: int = 1024
    output_kb: int = 64
    answer_mb: int = 64

    @property
    def flood(self) -> int:
        """Bytes printed in one call at which it is stopped; those past `output_kb` are counted and dropped."""
        return max(1024 * 1024, 16 * 1024 * self.output_kb)


@dataclass(frozen=True)
class Leaf:
    """What stands at one place of the answer, travelled or not; dtype and shape of arrays and numbers only."""

    type: str
    dtype: str | None = None
    shape: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Error:
    """An exception, or the place where a call was stopped (type and message are then empty).

    `line`, `text` and `function`: the innermost line of the exercise itself, counted from 1; None where there is none.
    """

    type: str
    message: str
    line: int | None
    text: str
    function: str


@dataclass(frozen=True)
class Answer:
    """What came back, by the parent's own account where it can have one.

    outcome      how it ended; `detail` says more ("sys.exit(3)", "SIGSEGV", "5 s")
    stage        whether the exercise was being imported or its function called
    values       the arrays that travelled, by dotted path: "" a bare value, "0" in a tuple or list, "dW_hh" in a dict
    leaves       every place of the answer, those that could not travel (None, a Tensor, complex numbers) too
    structure    what was returned: "one" value, a "dict", a "tuple" or a "list"
    changed      names of inputs whose arrays the call changed in place
    printed      what it printed, cut at the limit, control characters removed
    seconds      what the call took
    foreign      watched modules that are imported now (`child.WATCHED`); a hint, not evidence
    """

    outcome: Outcome
    stage: Stage
    detail: str = ""
    values: dict[str, np.ndarray] = field(default_factory=dict)
    leaves: dict[str, Leaf] = field(default_factory=dict)
    structure: Structure = "one"
    changed: tuple[str, ...] = ()
    printed: str = ""
    seconds: float = 0.0
    error: Error | None = None
    foreign: tuple[str, ...] = ()


def clean(text: str, cap: int, lines: bool = False) -> str:
    """`text` without control characters (with `lines`: but line ends and tabs), at most `cap` characters.

    >>> clean("\\x1b[31mred\\nalert", 100)
    '[31mred alert'
    """
    if not lines:
        text = text.replace("\n", " ")
    # isprintable() also refuses what reverses the direction of writing and lone surrogates
    return "".join(c for c in text[: 2 * cap] if c.isprintable() or (lines and c in "\n\t"))[:cap]


def line_of(source: str, line: int | None) -> str:
    """Line `line` of the source, counted from 1, without its indentation; "" where there is none."""
    lines = StringIO(source, newline=None).readlines()  # what Python counts as lines; splitlines() knows more kinds
    return clean(lines[line - 1].strip(), NAME) if line is not None and 0 < line <= len(lines) else ""


def read_answer(
    header: Mapping[str, Any], arrays: dict[str, np.ndarray], stage: Stage, source: str, printed: str
) -> Answer:
    """The Answer in a frame. Garbled where a field is not what it should be."""
    outcome, structure = _text(header, "outcome"), _text(header, "structure")
    if outcome not in get_args(Outcome) or structure not in get_args(Structure):
        raise Garbled("the answer's outcome or structure is unknown")
    leaves = _leaves(header.get("leaves"), arrays)
    seconds = header.get("seconds")
    if type(seconds) not in (int, float) or not 0 <= cast(float, seconds) < 1e9:
        raise Garbled("the answer's time is no time")
    return Answer(
        outcome=cast(Outcome, outcome), stage=stage, detail=clean(_text(header, "detail"), MESSAGE),
        values={clean(path, NAME): array for path, array in arrays.items()}, leaves=leaves,
        structure=cast(Structure, structure), changed=_names(header, "changed"), printed=printed,
        seconds=float(cast(float, seconds)), error=_error(header.get("error"), source),
        foreign=_names(header, "foreign"),
    )  # fmt: skip


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise Garbled(f"the answer's {key} is no text")
    return value


def _names(header: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = header.get(key)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Garbled(f"the answer's {key} is no list of names")
    return tuple(clean(name, NAME) for name in names)


def _leaves(record: object, arrays: Mapping[str, np.ndarray]) -> dict[str, Leaf]:
    """Types as announced; dtype and shape of what travelled from the arrays themselves."""
    if not isinstance(record, dict) or not arrays.keys() <= record.keys():
        raise Garbled("the answer does not say what it holds")
    leaves = {}
    for path, entry in record.items():
        if not isinstance(entry, list) or len(entry) != 3 or not isinstance(entry[0], str):
            raise Garbled("the answer does not say what it holds")
        name, dtype, shape = entry
        if path in arrays:
            dtype, shape = str(arrays[path].dtype), list(arrays[path].shape)
        if not (dtype is None or isinstance(dtype, str)) or not (shape is None or _is_shape(shape)):
            raise Garbled("the answer does not say what it holds")
        leaves[clean(path, NAME)] = Leaf(
            clean(name, NAME), None if dtype is None else clean(dtype, NAME), None if shape is None else tuple(shape)
        )
    return leaves


def _is_shape(shape: object) -> bool:
    return isinstance(shape, list) and all(type(n) is int and 0 <= n < 2**63 for n in shape)


def _error(record: object, source: str) -> Error | None:
    if record is None:
        return None
    if not isinstance(record, dict):
        raise Garbled("the answer's error is no record")
    line = record.get("line")
    if line is not None and (type(line) is not int or not 0 < line < 2**31):
        raise Garbled("the answer's error is at no line")
    return Error(
        type=clean(_text(record, "type"), NAME), message=clean(_text(record, "message"), MESSAGE), line=line,
        text=line_of(source, line), function=clean(_text(record, "function"), NAME),
    )  # fmt: skip
