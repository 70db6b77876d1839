"""One answer to one case, judged output by output on a ladder: is it there, of which type, shape, finite, and right?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..cases import Case
from ..manifest import Exercise
from ..runner import Answer, Leaf
from ..verdict import Kind, Place
from ..words import say
from .marks import named


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
    error: float  # the largest deviation of all outputs, relative; infinite where one cannot be compared

    @property
    def right(self) -> bool:
        return self.answer.outcome == "returned" and not self.faults


def judge(exercise: Exercise, case: Case, answer: Answer) -> Judged:
    """The answer's faults, in the order in which backpropagation makes the outputs."""
    names = tuple(exercise.returns)
    values = named(answer.values, exercise.layout, names)
    leaves = named(answer.leaves, exercise.layout, names)
    faults, worst = [], 0.0
    if answer.outcome != "returned":
        return Judged(case, answer, values, (), float("inf"))
    if fault := _structure(exercise, case, answer, leaves):
        return Judged(case, answer, values, (fault,), float("inf"))
    for output, expected in case.expected.items():
        leaf = leaves.get(output)
        if leaf is None and any(path.startswith(f"{output}.") for path in leaves):
            leaf = Leaf("list")  # a list of numbers where an array is asked for; its numbers came one by one
        fault, error = _output(exercise, case, output, expected, values.get(output), leaf)
        worst = max(worst, error)
        if fault:
            faults.append(fault)
    return Judged(case, answer, values, tuple(faults), worst)


def axes_of(exercise: Exercise, name: str) -> tuple[str, ...]:
    """The names of an array's axes, as the manifest has them: `(T, B, H)` -> ("T", "B", "H")."""
    return _axes({**exercise.arguments, **exercise.returns}, name)


def _axes(shapes: Mapping[str, str], name: str) -> tuple[str, ...]:
    shape = shapes.get(name) or shapes.get(name.rpartition(".")[0]) or ""
    inside = re.match(r"\s*\((.*)\)", shape)
    return tuple(axis.strip() for axis in inside[1].split(",") if axis.strip()) if inside else ()


def sizes(exercise: Exercise, case: Case) -> dict[str, int]:
    """How large each named axis is in this case: {"T": 2, "B": 1, "H": 1}."""
    found: dict[str, int] = {}
    for values, shapes in ((case.inputs, exercise.arguments), (case.expected, exercise.returns)):
        for name, value in values.items():
            axes = _axes(shapes, name)
            if len(axes) == np.ndim(value):
                found = {axis: n for axis, n in zip(axes, np.shape(value), strict=True) if axis.isidentifier()} | found
    return found


def _structure(exercise: Exercise, case: Case, answer: Answer, leaves: Mapping[str, Leaf]) -> Fault | None:
    """Something else than the dict, the tuple or the array that is asked for."""
    lacking = [name for name in case.expected if name not in leaves]
    if not lacking:
        return None
    whole = answer.leaves.get("")
    about = {"function": exercise.function, "names": _names(case)}
    if whole is not None and whole.type == "NoneType":
        return Fault("wrong type", lacking[0], say("grading.returned_none", **about), whole=True)
    if whole is not None or exercise.layout == "one" or (answer.structure == "dict") != (exercise.layout == "dict"):
        got = whole.type if whole is not None else answer.structure
        wants = say(f"grading.layout_{exercise.layout}", **about)
        return Fault("wrong type", lacking[0], say("grading.structure", got=got, wants=wants, **about), whole=True)
    return None


def _names(case: Case) -> str:
    return ", ".join(dict.fromkeys(output.partition(".")[0] for output in case.expected))


def _output(
    exercise: Exercise, case: Case, output: str, expected: np.ndarray, got: np.ndarray | None, leaf: Leaf | None
) -> tuple[Fault | None, float]:
    axes = axes_of(exercise, output)
    if leaf is None:
        line = say("grading.lacking", function=exercise.function, names=_names(case), lacking=output)
        return Fault("wrong type", output, line), float("inf")
    if got is None:
        key = {"Tensor": "tensor", "list": "list", "tuple": "list", "NoneType": "none"}.get(leaf.type, "type")
        if leaf.type == "ndarray":
            key = "complex" if "complex" in (leaf.dtype or "") else "dtype"
        line = say(f"grading.{key}", output=output, type=leaf.type, dtype=leaf.dtype)
        return Fault("wrong type", output, line), float("inf")
    if got.shape != expected.shape:
        return Fault("wrong shape", output, _shape_line(output, axes, expected.shape, got.shape)), float("inf")
    yes_or_no, counted = expected.dtype == np.bool_, expected.dtype.kind in "iub"
    expected, got = expected.astype(np.float64), got.astype(np.float64)
    wrong = ~np.isfinite(got) & np.isfinite(expected)
    if wrong.any():
        place = _place(exercise, case, output, axes, expected, got, wrong)
        line = say("grading.not_finite", what=_entry(place), got=_number(place.got), where=_where(exercise, place))
        return Fault("not finite", output, line, place), float("inf")
    scale = float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)) or 1.0
    with np.errstate(invalid="ignore"):
        off = np.where(expected == got, 0.0, np.abs(got - expected) / scale)
    off = np.where(np.isnan(off) | np.isinf(off), np.inf, off)
    error = float(off.max(initial=0.0))
    if error <= exercise.tolerance:
        return None, error
    place = _place(exercise, case, output, axes, expected, got, off > exercise.tolerance)
    spelled = _truth if yes_or_no else _number
    key = "value" if expected.ndim and not counted else "value_alone"
    line = say(
        f"grading.{key}" if exercise.reveal else "grading.value_hidden", what=_entry(place), got=spelled(place.got),
        expected=spelled(place.expected), off=_percent(place.off), where=_where(exercise, place),
        case=spell_case(exercise, case),
    )  # fmt: skip
    return Fault("wrong value", output, line, place), error


def _shape_line(output: str, axes: tuple[str, ...], wanted: tuple[int, ...], got: tuple[int, ...]) -> str:
    meaning = f"({', '.join(axes)}{',' if len(axes) == 1 else ''})" if len(axes) == len(wanted) else ""
    line = say("grading.shape", output=output, got=got, wanted=f"{meaning} = {wanted}" if meaning else str(wanted))
    if len(got) > 1 and got == wanted[::-1]:
        return line + say("grading.shape_transposed")
    if meaning and len(got) == len(wanted) - 1:
        for axis, name in enumerate(axes):
            if got == wanted[:axis] + wanted[axis + 1 :]:
                return line + say("grading.shape_axis_lost", axis=name)
    if len(got) == len(wanted) + 1:
        return line + say("grading.shape_axis_more")
    return line


def _place(
    exercise: Exercise, case: Case, output: str, axes: tuple[str, ...], expected: np.ndarray, got: np.ndarray,
    wrong: np.ndarray,
) -> Place:  # fmt: skip
    """The first wrong step, in the order in which time runs in this exercise, and the entry furthest off there."""
    timed = bool(axes) and axes[0].startswith("T") and wrong.ndim > 0
    step = steps = None
    off = np.nan_to_num(np.abs(got - expected), nan=np.inf, posinf=np.inf)
    off = np.where(wrong, off, -1.0)
    if timed:
        at = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))
        step, steps = int(at[-1] if exercise.time == "backward" else at[0]), len(wrong)
        off = np.where((np.arange(steps) == step).reshape(-1, *[1] * (off.ndim - 1)), off, -1.0)
    index = tuple(int(i) for i in np.unravel_index(int(off.argmax()), off.shape)) if off.ndim else ()
    scale = float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)) or 1.0
    wanted, had = float(expected[index]), float(got[index])
    return Place(case.name, output, index, axes, step, steps, wanted, had, abs(had - wanted) / scale)


def _entry(place: Place) -> str:
    return place.output + (f"[{', '.join(map(str, place.index))}]" if place.index else "")


def spell_step(place: Place, index: int) -> str:
    """`step 3 (index 2)`; an array of T + 1 states starts with the one before step 1."""
    if place.axes[0].startswith("T") and "+" in place.axes[0]:
        return say("steps.step", number=index, index=index) if index else say("steps.start")
    return say("steps.step", number=index + 1, index=index)


def _where(exercise: Exercise, place: Place) -> str:
    """Up to where the answer is right, in the order of time."""
    if place.step is None or place.steps is None:
        return ""
    last = place.steps - 1 if exercise.time == "backward" else 0
    if place.step == last:
        return say(f"grading.from_the_{exercise.time}_first", step=spell_step(place, place.step))
    before = place.step + 1 if exercise.time == "backward" else place.step - 1
    return say(f"grading.right_{exercise.time}", step=spell_step(place, place.step), before=spell_step(place, before))


def spell_case(exercise: Exercise, case: Case) -> str:
    """`tiny: T=2, B=1, H=1`: a case and how large its axes are."""
    found = sizes(exercise, case)
    axes = [f"{axis}={found[axis]}" for axis in sorted(found, key=lambda axis: ("TBNVDHC".find(axis), axis))]
    return f"{case.name}: {', '.join(axes)}" if axes else case.name


def _number(value: float) -> str:
    return f"{value:.4g}"


def _truth(value: float) -> str:
    return {0.0: "False", 1.0: "True"}.get(value, _number(value))


def _percent(off: float) -> str:
    """A deviation as a share of the largest entry: in percent where that reads well."""
    return f"{100 * off:.3g} %" if 1e-3 <= off < 1e3 else f"{off:.1e} x"


def first_wrong_step(judged: Sequence[Judged]) -> Place | None:
    """The place with a step in the largest case that is wrong: most steps, so it says most."""
    places = [fault.place for each in reversed(judged) for fault in each.faults]
    return next((place for place in places if place is not None and place.step is not None), None)


def by_hand_line(exercise: Exercise, judged: Sequence[Judged]) -> str | None:
    """The smallest case that is wrong, where a larger one is too: small enough to be worked out on paper."""
    wrong = [each for each in judged if each.faults]
    place = wrong[0].faults[0].place if wrong else None
    if place is None or len(wrong) < 2 or not exercise.reveal:
        return None
    spelled = _truth if wrong[0].case.expected[place.output].dtype == np.bool_ else _number
    about = {"what": _entry(place), "expected": spelled(place.expected), "got": spelled(place.got)}
    return say("grading.by_hand", case=spell_case(exercise, wrong[0].case), **about)
