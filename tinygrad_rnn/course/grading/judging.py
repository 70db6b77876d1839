"""One answer to one case, judged output by output on a ladder: is it there, of which type, shape, finite, and right?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..cases import Case
from ..manifest import Exercise
from ..runner import Answer, Leaf
from ..verdict import Kind, Place
from ..words import say
from .marks import named
from .spelling import (
    axes_of,
    spell_case,
    spell_entry,
    spell_numbers,
    spell_off,
    spell_output,
    spell_shape,
    spell_where,
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """What is wrong with one output of one case, and its sentence."""

    kind: Kind
    output: str
    line: str
    place: Place | None = None
    whole: bool = False  # of the answer as a whole: no output can be told from another


@dataclass(frozen=True)
class Judged:
    """One case: its answer, the outputs under the manifest's names, and the faults in the order of `returns`."""

    case: Case
    answer: Answer
    values: Mapping[str, np.ndarray]
    faults: tuple[Fault, ...]
    errors: Mapping[str, float]  # each output's largest deviation, relative; infinite where it cannot be compared

    @property
    def right(self) -> bool:
        """Whether the function returned, and every output was within its tolerance."""
        return self.answer.outcome == "returned" and not self.faults


def judge(exercise: Exercise, case: Case, answer: Answer) -> Judged:
    """The answer's faults, in the order in which backpropagation makes the outputs."""
    names = tuple(exercise.returns)
    values = named(answer.values, exercise.layout, names)
    leaves = named(answer.leaves, exercise.layout, names)
    if answer.outcome != "returned":
        return Judged(case, answer, values, (), {})
    _gather_numbers(exercise, case, values, leaves)
    if fault := _structure(exercise, case, answer, leaves):
        return Judged(case, answer, values, (fault,), {})
    faults, errors = [], {}
    for output, expected in case.expected.items():
        fault, errors[output] = _output(exercise, case, output, expected, values, leaves)
        if fault:
            faults.append(fault)
    return Judged(case, answer, values, tuple(faults), errors)


def _parts(leaves: Mapping[str, Leaf], output: str) -> list[str]:
    return [path for path in leaves if path.startswith(f"{output}.")]


def _gather_numbers(
    exercise: Exercise, case: Case, values: dict[str, np.ndarray], leaves: dict[str, Leaf]
) -> None:
    """Counts, and what was found with a pencil, may be given as a list of plain numbers; they came one by one."""
    for output, expected in case.expected.items():
        if exercise.reveal and expected.dtype.kind not in "iub":
            continue
        parts = _parts(leaves, output)
        numbers = [values[path] for path in parts if path in values and values[path].ndim == 0]
        if output not in leaves and expected.ndim == 1 and parts and len(numbers) == len(parts):
            values[output] = np.array(numbers)
            leaves[output] = Leaf("ndarray", str(values[output].dtype), values[output].shape)


def _structure(exercise: Exercise, case: Case, answer: Answer, leaves: Mapping[str, Leaf]) -> Fault | None:
    """Something else than the dict, the tuple or the array that is asked for."""
    first, whole = next(iter(case.expected)), answer.leaves.get("")
    about = {"function": exercise.function, "names": _tops(case.expected)}
    if whole is not None and whole.type == "NoneType":
        return Fault("wrong type", first, say("grading.returned_none", **about), whole=True)
    if all(name in leaves for name in case.expected):
        return None
    if whole is not None or exercise.layout == "one" or (answer.structure == "dict") != (exercise.layout == "dict"):
        got = whole.type if whole is not None else answer.structure
        wants = say(f"grading.layout_{exercise.layout}", **about)
        return Fault("wrong type", first, say("grading.structure", got=got, wants=wants, **about), whole=True)
    return None


def _tops(names: Mapping[str, object]) -> str:
    return ", ".join(dict.fromkeys(name.partition(".")[0] for name in names))


def _output(
    exercise: Exercise, case: Case, output: str, expected: np.ndarray,
    values: Mapping[str, np.ndarray], leaves: Mapping[str, Leaf],
) -> tuple[Fault | None, float]:  # fmt: skip
    def fault(kind: Kind, key: str, place: Place | None = None, **about: object) -> tuple[Fault, float]:
        where = spell_where(exercise, place) if place else ""
        line = say(f"grading.{key}", output=spell_output(output), where=where, case=spell_case(exercise, case), **about)
        return Fault(kind, output, line, place), float("inf")

    got, leaf, axes = values.get(output), leaves.get(output), axes_of(exercise.returns, output)
    if leaf is None:
        if parts := _parts(leaves, output):
            return fault("wrong type", "list", count=len(parts))
        return fault("wrong type", "lacking", function=exercise.function, given=_tops(leaves) or say("grading.nothing"))
    if got is None:
        return fault("wrong type", _type_key(leaf, expected), type=leaf.type, dtype=leaf.dtype or leaf.type)
    if got.shape != expected.shape:
        wanted = spell_shape(expected.shape, axes)
        remark = _shape_remark(axes, expected.shape, got.shape)
        return fault("wrong shape", "shape", got=spell_shape(got.shape, ()), wanted=wanted, remark=remark)
    truth, counted = expected.dtype == np.bool_, expected.dtype.kind in "iub"
    expected, got = expected.astype(np.float64), got.astype(np.float64)
    wrong = ~np.isfinite(got) & np.isfinite(expected)
    if wrong.any():
        place = _place(exercise, case, output, axes, expected, got, wrong)
        return fault("not finite", "not_finite", place, what=spell_entry(place), got=f"{place.got:g}")
    scale = _scale(expected)
    with np.errstate(invalid="ignore"):
        off = np.where(expected == got, 0.0, np.abs(got - expected) / scale)
    off = np.where(np.isfinite(off), off, np.inf)
    error = float(off.max(initial=0.0))
    if error <= exercise.tolerance:
        return None, error
    place = _place(exercise, case, output, axes, expected, got, off > exercise.tolerance)
    wanted, had = spell_numbers(place.expected, place.got, truth)
    key = "value_hidden" if not exercise.reveal else "value" if expected.ndim and not counted else "value_alone"
    about = {"what": spell_entry(place), "expected": wanted, "got": had, "off": spell_off(place.off)}
    return fault("wrong value", key, place, **about)[0], error


def _scale(expected: np.ndarray) -> float:
    """The largest entry: what an error is large or small beside."""
    return float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)) or 1.0


def _type_key(leaf: Leaf, expected: np.ndarray) -> str:
    if "complex" in (leaf.dtype or "") or "complex" in leaf.type:
        return "complex"
    if leaf.type == "ndarray":
        return "dtype"
    known = {"Tensor": "tensor", "list": "list_alone", "tuple": "list_alone", "NoneType": "none"}
    return known.get(leaf.type, "type" if expected.ndim else "type_number")


def _shape_remark(axes: tuple[str, ...], wanted: tuple[int, ...], got: tuple[int, ...]) -> str:
    """What may have happened to a shape."""
    if len(got) > 1 and got == wanted[::-1]:
        return say("grading.shape_transposed")
    if len(axes) == len(wanted) == len(got) + 1:
        for axis, name in enumerate(axes):
            if got == wanted[:axis] + wanted[axis + 1 :]:
                return say("grading.shape_axis_lost", axis=name)
    if len(got) == len(wanted) + 1 and wanted:
        return say("grading.shape_axis_more")
    return ""


def _place(
    exercise: Exercise, case: Case, output: str, axes: tuple[str, ...], expected: np.ndarray, got: np.ndarray,
    wrong: np.ndarray,
) -> Place:  # fmt: skip
    """The first wrong step, in the order in which time runs in this exercise, and the entry furthest off there."""
    timed = bool(axes) and axes[0].startswith("T") and wrong.ndim > 0
    step = steps = None
    off = np.where(wrong, np.nan_to_num(np.abs(got - expected), nan=np.inf, posinf=np.inf), -1.0)
    if timed:
        at = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))
        step, steps = int(at[-1] if exercise.time == "backward" else at[0]), len(wrong)
        off = np.where((np.arange(steps) == step).reshape(-1, *[1] * (off.ndim - 1)), off, -1.0)
    index = tuple(int(i) for i in np.unravel_index(int(off.argmax()), off.shape)) if off.ndim else ()
    wanted, had = float(expected[index]), float(got[index])
    return Place(case.name, output, index, axes, step, steps, wanted, had, abs(had - wanted) / _scale(expected))


def first_wrong_step(judged: Sequence[Judged]) -> Place | None:
    """The place with a step in the largest case that is wrong: most steps, so it says most."""
    places = [fault.place for each in reversed(judged) for fault in each.faults]
    return next((place for place in places if place is not None and place.step is not None), None)
