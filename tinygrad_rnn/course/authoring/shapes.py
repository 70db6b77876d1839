"""Shapes, as lesson.toml declares them: held to what the docstrings say, and to what the cases hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..cases import Case, Cases
from ..grading.spelling import sizes
from ..manifest import Exercise, Lesson
from ..words import say
from .signatures import docstrings, driver_of

SHAPE = r"\((?:[\dA-Z][\w+*-]*(?:,\s*[\dA-Z][\w+*-]*)*,?)?\)"  # as a docstring writes it: (T+1, B, 4H)
WORDS = {  # what stands in place of a shape, and the kinds of NumPy that it may be
    "int": "iu", "float": "f", "a number": "fiu", "bool": "b", "True or False": "b", "str": "U",
}  # fmt: skip
ARRAYS = "list of arrays"


def docstring_shapes(lesson: Lesson) -> Iterator[str]:
    """Docstrings give the shapes of the table, and no others. Where driver.py calls, the table is the driver's."""
    texts = docstrings(lesson)
    for exercise in lesson.exercises:
        if driver_of(lesson, exercise) is not None:
            continue
        own = texts[exercise.function]
        whole = own + "".join(text for name, text in texts.items() if re.search(rf"\b{name}\b", own))  # "p as in bptt"
        for name, shape in {**exercise.arguments, **exercise.returns}.items():
            last, wanted = re.escape(name.rpartition(".")[2]), "".join(shape.split())
            beside = re.findall(rf"(?<!\w){last}[\"'\]]*:?\s*({SHAPE})", own)
            shapes = ["".join(found.split()) for found in beside or re.findall(SHAPE, whole)]
            if re.match(r"\(.*[A-Z]", wanted) and wanted not in shapes:
                yield say("proof.shape_untold", exercise=exercise.key, name=name, shape=shape)


def known_shapes(exercise: Exercise) -> Iterator[str]:
    """What is declared is a shape, or one of the words that stand in place of one."""
    for name, shape in {**exercise.arguments, **exercise.returns}.items():
        if _axes(shape) is None and shape not in (*WORDS, ARRAYS):
            words = ", ".join([*WORDS, ARRAYS])
            yield say("proof.no_shape", exercise=exercise.key, name=name, shape=shape, words=words)


def case_shapes(exercise: Exercise, cases: Cases) -> Iterator[str]:
    """Cases hold numbers that are numbers, of the shapes that are declared; in one at least all axes differ: a
    transposed matrix shows only there."""
    told: set[str] = set()
    for case in (*cases.scored, *cases.probes.values()):
        for name, value in (*case.inputs.items(), *case.expected.items()):
            if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not np.isfinite(value).all():
                yield say("proof.not_finite", exercise=exercise.key, case=case.name, name=name)
        for name, problem in declared(exercise, case):
            if name not in told:  # the smallest case says it
                told.add(name)
                yield problem
    found = [sizes(exercise, case) for case in cases.scored]
    if not any(len(set(each.values())) == len(each) for each in found):
        yield say("proof.equal_axes", exercise=exercise.key, axes=", ".join(found[-1]))


def declared(exercise: Exercise, case: Case) -> Iterator[tuple[str, str]]:
    """(name, problem) of arguments and results that are not what the table declares: names, axes and their sizes."""
    about = {"exercise": exercise.key, "case": case.name}
    known: dict[str, int] = {}
    for table, values in ((exercise.arguments, case.inputs), (exercise.returns, case.expected)):
        known = _sizes(table, values, known)
        for name, shape in table.items():
            if name in values:
                optional = values is case.inputs and values[name] is None  # an argument that may be left out
                if not optional and not _fits(shape, values[name], known):
                    yield name, _unlike(name, shape, values[name], known, about)
            elif shape != ARRAYS:  # an empty list has no names at all
                parts = any(each.startswith(f"{name}.") for each in values)
                yield name, say(f"proof.{'parts' if parts else 'absent'}", name=name, shape=shape, **about)
        for name in values:
            if name not in table and table.get(name.rpartition(".")[0]) != ARRAYS:
                yield name, say("proof.undeclared", name=name, **about)


def _sizes(table: Mapping[str, str], values: Mapping[str, Any], known: Mapping[str, int]) -> dict[str, int]:
    """How long each named axis is in a case: the first argument that bears the name says it, if it is not `known`."""
    found: dict[str, int] = {**known}
    for plain in (True, False):  # 4H is what H says, if anything does
        for name, shape in table.items():
            axes, value = _axes(shape), np.asarray(values.get(name))
            if axes is not None and len(axes) == value.ndim:
                for axis, size in zip(axes, value.shape, strict=True):
                    if axis.isidentifier() == plain and size_of(axis, found) is None:
                        found[axis] = size
    return found


def _fits(shape: str, value: Any, known: Mapping[str, int]) -> bool:
    axes = _axes(shape)
    if axes is None:
        kinds = WORDS.get(shape, "")
        return shape not in (*WORDS, ARRAYS) or (np.ndim(value) == 0 and np.asarray(value).dtype.kind in [*kinds])
    if len(axes) != np.ndim(value):
        return False
    return all(size_of(axis, known) in (None, size) for axis, size in zip(axes, np.shape(value), strict=True))


def _unlike(name: str, shape: str, value: Any, known: Mapping[str, int], about: Mapping[str, Any]) -> str:
    sizes = [size_of(axis, known) for axis in _axes(shape) or ()]
    if sizes and None not in sizes:
        shape = f"{shape} = {tuple(sizes)}"
    array = np.asarray(value)
    if array.ndim == 0 and not shape.startswith("("):
        return say("proof.other_type", name=name, shape=shape, has=array.dtype.name, **about)
    return say("proof.other_shape", name=name, shape=shape, has=array.shape, **about)


def _axes(shape: str) -> tuple[str, ...] | None:
    """The axes of "(T+1, B, H)"; none of "()"; None of what is no shape."""
    inside = re.fullmatch(r"\s*\((.*)\)\s*", shape)
    return tuple(axis for axis in "".join(inside[1].split()).split(",") if axis) if inside else None


def size_of(axis: str, known: Mapping[str, int]) -> int | None:
    """How long an axis is, where `known` says it; None where it does not.

    >>> [size_of(axis, {"T": 7, "H": 3}) for axis in ("T", "T+1", "4H", "D", "D+H", "2")]
    [7, 8, 12, None, None, 2]
    """
    if axis in known:
        return known[axis]
    whole = 0
    for sign, times, name in re.findall(r"([+-]?)(\d*)\*?([A-Za-z_]\w*)?", axis):
        if not times and not name:
            continue
        if name and name not in known:
            return None
        whole += (-1 if sign == "-" else 1) * int(times or 1) * (known[name] if name else 1)
    return whole
