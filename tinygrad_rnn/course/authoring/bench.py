"""The instructor's side of a lesson: its solution, its mistakes as edits of that solution, and the cases of both.

What is run here is the author's own code, in this process; a learner's code never is (`runner`).
"""

from __future__ import annotations

import ast
import copy
import re
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..cases import Case, Cases, pack
from ..grading import effort
from ..grading.marks import WIDTH, flatten, marked, named, same
from ..manifest import DRIVER, INSTRUCTOR, MANIFEST, Exercise, Lesson

SOLUTION, MISTAKES, GENERATE = "solution.py", "mistakes.py", "generate.py"
GIVEN = re.compile(r"^[ \t]*#: .*$", re.MULTILINE)
MOST = 600  # explanations of an exercise: all single mistakes, then pairs, then triples, as far as this reaches


class AuthoringError(ValueError):
    """Something in the instructor's folder does not fit; the message names the file, the place and the remedy."""


def text_of(lesson: Lesson, name: str) -> str:
    """A file of the instructor's folder."""
    path = lesson.folder / INSTRUCTOR / name
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise AuthoringError(f"{path} is not there: a lesson has {SOLUTION}, {MISTAKES} and {GENERATE}") from None


def module_of(source: str, path: Path) -> ModuleType:
    """A module made from `source`; `path` stands in its tracebacks."""
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def instructor_module(lesson: Lesson, name: str) -> ModuleType:
    """The module `solution.py`, `mistakes.py` or `generate.py` of a lesson."""
    return module_of(text_of(lesson, name), lesson.folder / INSTRUCTOR / name)


def solution_of(lesson: Lesson) -> ModuleType:
    return instructor_module(lesson, SOLUTION)


@lru_cache(maxsize=512)  # asked again for every set of mistakes
def segment(source: str, function: str) -> tuple[int, int]:
    """Where the function or class stands in `source`: the offsets of its first character and of the end."""
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == function:
            lines = source.splitlines(keepends=True)
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            return sum(map(len, lines[: first - 1])), sum(map(len, lines[: node.end_lineno]))
    raise AuthoringError(f"{SOLUTION}: no function or class {function}")


def mistakes_of(lesson: Lesson) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """The edits that make each mistake, by function and name. The manifest must know the same names."""
    table = instructor_module(lesson, MISTAKES).MISTAKES
    for exercise in lesson.exercises:
        known, edited = {mistake.name for mistake in exercise.mistakes}, set(table.get(exercise.function, {}))
        for names, where, lacks in ((known - edited, MANIFEST, MISTAKES), (edited - known, MISTAKES, MANIFEST)):
            if names:
                raise AuthoringError(f"{exercise.key}: the mistake {min(names)} of {where} is missing in {lacks}")
    return table


def mistaken(source: str, function: str, edits: Sequence[tuple[str, str]]) -> str | None:
    """`source` with these edits made in `function`; None where two overlap, so that they cannot be made together."""
    start, end = segment(source, function)
    body, spans = source[start:end], []
    code = GIVEN.sub(lambda given: " " * len(given[0]), body)  # a line that learners are given is not the solution's
    for right, wrong in edits:
        if (times := code.count(right)) != 1:
            raise AuthoringError(f"{MISTAKES}, {function}: {right!r} must occur once in the solution, not {times}x")
        at = code.index(right)
        spans.append((at, at + len(right), wrong))
    spans.sort()
    if any(left[1] > right[0] for left, right in pairwise(spans)):
        return None
    for first, last, wrong in reversed(spans):
        body = body[:first] + wrong + body[last:]
    return source[:start] + body + source[end:]


class Bench:
    """A lesson's solution, mistakes and generators, ready to be run."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.source = text_of(lesson, SOLUTION)
        self.edits = mistakes_of(lesson)
        self.generate = instructor_module(lesson, GENERATE)
        path = lesson.file(DRIVER)
        self.driver = module_of(path.read_text(encoding="utf-8"), path) if path.is_file() else None
        self._modules: dict[str, ModuleType] = {}

    def module(self, exercise: Exercise, mistakes: Sequence[str] = ()) -> ModuleType | None:
        """The solution with these mistakes made in it; None where they cannot be made together."""
        edits = [edit for name in mistakes for edit in self.edits[exercise.function][name]]
        source = mistaken(self.source, exercise.function, edits)
        if source is None:
            return None
        if source not in self._modules:
            try:
                self._modules[source] = module_of(source, self.lesson.folder / INSTRUCTOR / SOLUTION)
            except SyntaxError as why:
                raise AuthoringError(f"{exercise.key}: {' + '.join(mistakes)} is no Python: {why}") from None
        return self._modules[source]

    def inputs(self, exercise: Exercise, case: str, seed: int = 0) -> dict[str, Any]:
        """The inputs of a case, flat. Seed 0 is the public one."""
        family = getattr(self.generate, exercise.function, None)
        if family is None:
            raise AuthoringError(f"{GENERATE}: no function {exercise.function}(rng, case) for {exercise.key}")
        numbers = [zlib.crc32(f"{exercise.key} {case}".encode()), seed]
        return flatten(family(np.random.default_rng(numbers), case))

    def outputs(self, exercise: Exercise, module: ModuleType, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What `module` answers, flat, by the names of the manifest. Whatever it raises is raised."""
        nested = nest(copy.deepcopy(dict(inputs)))
        drive = getattr(self.driver, f"drive_{exercise.function}", None)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            value = drive(module, **nested) if drive else getattr(module, exercise.function)(**nested)
        return named(flatten(value), exercise.layout, tuple(exercise.returns))

    def case(self, exercise: Exercise, name: str, seed: int = 0) -> Case:
        module = self.module(exercise)
        assert module is not None
        inputs = self.inputs(exercise, name, seed)
        outputs = self.outputs(exercise, module, inputs)
        tops = [output.partition(".")[0] for output in exercise.returns]
        if strangers := [output for output in outputs if output.partition(".")[0] not in tops]:
            raise AuthoringError(f"{exercise.key}: the solution gives {strangers[0]!r}, which `returns` does not list")
        ordered = sorted(outputs, key=lambda output: tops.index(output.partition(".")[0]))
        return Case(name, inputs, {output: np.asarray(outputs[output]) for output in ordered})

    def cases(self, exercise: Exercise, seed: int = 0) -> Cases:
        """Every case of an exercise, the right answers, and what its mistakes do with them."""
        scored = tuple(self.case(exercise, name, seed) for name in exercise.cases)
        probes = {name: self.case(exercise, name, seed) for name in exercise.probes}
        explanations, marks = self._explained(exercise, scored)
        spent = 0.0
        if "cost" in probes:
            module, inputs = self.module(exercise), probes["cost"].inputs
            spent = effort.seconds(lambda: self.outputs(exercise, module, inputs)) / effort.unit()  # type: ignore[arg-type]
        return Cases(scored, probes, explanations, marks, float(f"{spent:.2g}"))

    def marks(self, exercise: Exercise, module: ModuleType, scored: Sequence[Case]) -> np.ndarray:
        """The marks (slots, 4) of what `module` answers to the scored cases."""
        rows = []
        for case in scored:
            try:
                outputs, failure = self.outputs(exercise, module, case.inputs), ""
            except Exception as why:
                outputs, failure = {}, f"raises {type(why).__name__}"
            rows += [marked(outputs, output, failure) for output in case.expected]
        return np.array(rows)

    def _explained(self, exercise: Exercise, scored: Sequence[Case]) -> tuple[tuple[tuple[str, ...], ...], np.ndarray]:
        found: list[tuple[str, ...]] = []
        rows: list[np.ndarray] = []
        for names in self._together(exercise):
            module = self.module(exercise, names)
            if module is None or len(found) >= MOST:
                continue
            marks = self.marks(exercise, module, scored)
            parts = [row for row, fewer in zip(rows, found, strict=True) if set(fewer) < set(names)]
            if not any(same(row, marks).all() for row in parts):  # a mistake that another hides explains nothing
                found.append(names)
                rows.append(marks)
        slots = sum(len(case.expected) for case in scored)
        return tuple(found), np.array(rows) if rows else np.zeros((0, slots, WIDTH))

    def _together(self, exercise: Exercise) -> Iterator[tuple[str, ...]]:
        names = [mistake.name for mistake in exercise.mistakes]
        for count in (1, 2, 3):
            yield from combinations(names, count)


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of `flatten`: `{"p.b": 1, "grads.0": 2}` -> `{"p": {"b": 1}, "grads": [2]}`."""
    nested: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, last = path.split(".")
        at = nested
        for name in parents:
            at = at.setdefault(name, {})
        at[last] = value
    return {name: _listed(value) for name, value in nested.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(each) for name, each in value.items()}
    return list(inner.values()) if inner and all(name.isdigit() for name in inner) else inner


def lesson_cases(lesson: Lesson, seed: int = 0) -> dict[str, Cases]:
    """The cases of every exercise of a lesson, by function. Seed 0 gives the public ones, any other hidden ones."""
    try:
        bench = Bench(lesson)
        return {exercise.function: bench.cases(exercise, seed) for exercise in lesson.exercises}
    except SyntaxError as why:
        raise AuthoringError(f"{why.filename}, line {why.lineno}: {why.msg}") from None


def case_file(lesson: Lesson) -> bytes:
    """The bytes of the lesson's cases.npz."""
    return pack(lesson_cases(lesson))


__all__ = ["AuthoringError", "Bench", "case_file", "lesson_cases", "mistaken", "solution_of"]
