"""Numerical derivatives told from backpropagation: by the error they leave, their cost, and what they look at."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from math import inf

import numpy as np

from ..cases import Case, Cases
from ..manifest import Exercise
from ..parsing import parse
from ..words import say
from . import effort
from .judging import Judged

EXACT, NEAR = 1e-11, 1e-3  # by hand leaves some 1e-15; differences between 1e-10 and 1e-5, float32 some 1e-7
COSTLY = 25.0  # times the solution's work; a slow loop in Python may reach it too, so it never decides alone
COMPLEX = {"imag", "complex", "complex64", "complex128", "cdouble", "csingle", "clongdouble"}


def by_numbers(
    exercise: Exercise, cases: Cases, judged: Sequence[Judged], source: str, ask: Callable[[Case], Judged]
) -> str | None:
    """The sentence for outputs that are nearly right and were come by numerically, or None. Other outputs do not count.

    Two signs are needed. One is in the answer: an error of the size that finite differences leave in float64, or
    complex numbers in the code. The other in its conduct: for the probe, whose states no forward pass gives, it answers
    by a forward pass; or the case with many parameters costs many times the solution's work. Without probes, nothing.
    """
    if not cases.probes:
        return None
    worst = {output: max(each.errors.get(output, inf) for each in judged) for output in judged[-1].case.expected}
    near = {output: error for output, error in worst.items() if error < NEAR}
    if not near:
        return None
    error = max(near.values())
    exact = all(each.values[output].dtype == np.float64 for each in judged for output in near)
    noisy, complex_step = error > EXACT and exact, _uses_complex(source, exercise.function)
    if not noisy and not complex_step:
        return None
    why = _conduct(cases, near, ask)
    kind = "complex_step" if complex_step and error < exercise.tolerance else "finite_differences"
    return say(f"grading.{kind}", error=error, why=why) if why else None


def _conduct(cases: Cases, near: Iterable[str], ask: Callable[[Case], Judged]) -> str:
    if probe := cases.probes.get("probe"):
        told = ask(probe)
        if told.answer.outcome == "returned" and max(told.errors.get(output, 0.0) for output in near) > NEAR:
            return say("grading.why_probe")
    if cost := cases.probes.get("cost"):
        spent = ask(cost).answer.seconds / effort.unit() / max(cases.effort, 1e-9)
        if spent > COSTLY:
            return say("grading.why_cost", times=spent)
    return ""


def _uses_complex(source: str, function: str) -> bool:
    """Whether the function, or one that it calls in the same file, computes with complex numbers. Read, not run."""
    try:
        tree = parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    bodies = {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    waiting, seen = [function], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in bodies:
            continue
        seen.add(name)
        for node in ast.walk(bodies[name]):
            word = getattr(node, "id", None) or getattr(node, "attr", None)
            if word in COMPLEX or (isinstance(node, ast.Constant) and isinstance(node.value, complex)):
                return True
            if isinstance(node, ast.Name):
                waiting.append(node.id)
    return False
