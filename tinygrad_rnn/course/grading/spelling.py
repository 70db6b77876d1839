"""Numbers, shapes, cases and steps in the words of a verdict."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from ..cases import Case
from ..manifest import Exercise
from ..verdict import Place
from ..words import say


def axes_of(shapes: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The names of an array's axes, as the manifest has them.

    >>> axes_of({"dX": "(T, B, D)", "grads": "list of arrays"}, "dX")
    ('T', 'B', 'D')
    """
    shape = shapes.get(name) or shapes.get(name.rpartition(".")[0]) or ""
    inside = re.match(r"\s*\((.*)\)", shape)
    return tuple(axis.strip() for axis in inside[1].split(",") if axis.strip()) if inside else ()


def sizes(exercise: Exercise, case: Case) -> dict[str, int]:
    """How large each named axis is in this case: {"T": 2, "B": 1, "H": 1}."""
    found: dict[str, int] = {}
    for values, shapes in ((case.inputs, exercise.arguments), (case.expected, exercise.returns)):
        for name, value in values.items():
            axes = axes_of(shapes, name)
            if len(axes) == np.ndim(value):
                found = {axis: n for axis, n in zip(axes, np.shape(value), strict=True) if axis.isidentifier()} | found
    return found


def spell_case(exercise: Exercise, case: Case) -> str:
    """`tiny: T=2, B=1, H=1`: a case and how large its axes are."""
    found = sizes(exercise, case)
    axes = [f"{axis}={found[axis]}" for axis in sorted(found, key=lambda axis: ("TBNVDHC".find(axis), axis))]
    return f"{case.name}: {', '.join(axes)}" if axes else case.name


def spell_output(name: str) -> str:
    """An output as a learner writes it.

    >>> spell_output("grads.0"), spell_output("dX")
    ('grads[0]', 'dX')
    """
    return re.sub(r"\.(\d+)", r"[\1]", name)


def spell_entry(place: Place) -> str:
    """`dX[5, 0, 2]`"""
    return spell_output(place.output) + (f"[{', '.join(map(str, place.index))}]" if place.index else "")


def spell_shape(shape: tuple[int, ...], axes: tuple[str, ...]) -> str:
    """`(T, B) = (4, 2)`; an array without axes is a single number."""
    if not shape:
        return say("grading.single_number")
    meaning = f"({', '.join(axes)}{',' if len(axes) == 1 else ''})" if len(axes) == len(shape) else ""
    return f"{meaning} = {shape}" if meaning else str(shape)


def spell_numbers(expected: float, got: float, truth: bool = False) -> tuple[str, str]:
    """Both with as many digits as tell them apart, four at least.

    >>> spell_numbers(1 / 3, 0.25), spell_numbers(1.5, 1.50002), spell_numbers(1, 0, truth=True)
    (('0.3333', '0.25'), ('1.5', '1.50002'), ('True', 'False'))
    """
    if truth and {expected, got} <= {0.0, 1.0}:
        return str(bool(expected)), str(bool(got))
    for digits in range(4, 18):
        pair = f"{expected:.{digits}g}", f"{got:.{digits}g}"
        if pair[0] != pair[1]:
            break
    return pair


def spell_off(off: float) -> str:
    """A deviation as a share of the largest entry.

    >>> spell_off(0.4188), spell_off(3e-6)
    ('42 %', '0.0003 %')
    """
    percent = f"{100 * off:.2g}"
    return f"{float(percent):.0f} %" if 1 <= float(percent) < 1e6 else f"{percent} %"


def spell_step(place: Place, index: int) -> str:
    """`step 3 (index 2)`; an array of T + 1 states starts with the one before step 1."""
    if place.axes[0].startswith("T") and "+" in place.axes[0]:
        return say("steps.step", number=index, index=index) if index else say("steps.start")
    return say("steps.step", number=index + 1, index=index)


def spell_where(exercise: Exercise, place: Place) -> str:
    """Up to where the answer is right, in the order of time."""
    if place.step is None or place.steps is None:
        return ""
    last = place.steps - 1 if exercise.time == "backward" else 0
    if place.step == last:
        return say(f"grading.from_the_{exercise.time}_first", step=spell_step(place, place.step))
    before = place.step + 1 if exercise.time == "backward" else place.step - 1
    return say(f"grading.right_{exercise.time}", step=spell_step(place, place.step), before=spell_step(place, before))
