"""The instructor's side of a lesson: its solution, its mistakes as edits of that solution, and the cases of both.

What is run here is the author's own code, in this process; a learner's code never is (`runner`).
"""

from __future__ import annotations

import ast
import copy
import re
import warnings
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..cases import Case, Cases, pack
from ..grading import effort
from ..grading.marks import WIDTH, flatten, marked, named, same
from ..manifest import DRIVER, MANIFEST, Exercise, Lesson
from ..parsing import parse
from ..runner.trees import nested
from ..words import say
from .running import (
    GENERATE,
    MISTAKES,
    SOLUTION,
    AuthoringError,
    in_words,
    instructor_module,
    instructors,
    module_of,
    text_of,
)  # fmt: skip

GIVEN = re.compile(r"^[ \t]*#: .*$", re.MULTILINE)
MOST = 600  # explanations of an exercise: all single mistakes, then pairs, then triples, as far as this reaches


@lru_cache(maxsize=512)  # asked again for every set of mistakes
def segment(source: str, function: str) -> tuple[int, int]:
    """Where the function or class stands in `source`: the offsets of its first character and of the end."""
    for node in parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == function:
            lines = source.splitlines(keepends=True)
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            return sum(map(len, lines[: first - 1])), sum(map(len, lines[: node.end_lineno]))
    raise AuthoringError(f"{SOLUTION}: {say('authors.not_found', name=function)}")


def mistakes_of(lesson: Lesson) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """The edits that make each mistake, by function and name. The manifest must know the same names."""
    path = instructors(lesson, MISTAKES)
    table = getattr(instructor_module(lesson, MISTAKES), "MISTAKES", None)
    if not isinstance(table, dict) or not all(isinstance(edits, dict) for edits in table.values()):
        raise AuthoringError(f"{path}: {say('authors.no_mistakes')}")
    for function, name, edits in ((f, name, edits) for f in table for name, edits in table[f].items()):
        if not isinstance(edits, list) or not all(_is_pair(edit) for edit in edits):
            raise AuthoringError(f"{path}: {say('authors.no_edits', name=name, function=function)}")
    for exercise in lesson.exercises:
        known, edited = {mistake.name for mistake in exercise.mistakes}, set(table.get(exercise.function, {}))
        for names, where, lacks in ((known - edited, MANIFEST, MISTAKES), (edited - known, MISTAKES, MANIFEST)):
            if names:
                raise AuthoringError(f"{exercise.key}: the mistake {min(names)} of {where} is missing in {lacks}")
    return table


def _is_pair(edit: object) -> bool:
    return isinstance(edit, tuple) and len(edit) == 2 and all(isinstance(text, str) for text in edit)


def mistaken(source: str, function: str, edits: Sequence[tuple[str, str]], path: Path = Path(MISTAKES)) -> str | None:
    """`source` with these edits made in `function`; None where two overlap, so that they cannot be made together.
    `path` is the file that holds the edits."""
    start, end = segment(source, function)
    body, spans = source[start:end], []
    code = GIVEN.sub(lambda given: " " * len(given[0]), body)  # a line that learners are given is not the solution's
    for right, wrong in edits:
        if (times := code.count(right)) != 1:
            raise AuthoringError(f"{path}, {function}: {say('authors.not_once', right=right, times=times)}")
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

    def mistaken(self, exercise: Exercise, mistakes: Sequence[str], source: str = "") -> str | None:
        """The solution's text, or `source`, with these mistakes made; None where they cannot be made together."""
        edits = [edit for name in mistakes for edit in self.edits[exercise.function][name]]
        return mistaken(source or self.source, exercise.function, edits, instructors(self.lesson, MISTAKES))

    def module(self, exercise: Exercise, mistakes: Sequence[str] = ()) -> ModuleType | None:
        """The solution with these mistakes made in it; None where they cannot be made together."""
        source = self.mistaken(exercise, mistakes)
        if source is None:
            return None
        if source not in self._modules:
            names = " + ".join(mistakes)
            try:
                compile(source, SOLUTION, "exec")
            except SyntaxError as why:
                if mistakes:
                    told = say("authors.no_python", names=names, why=why.msg)
                    raise AuthoringError(f"{instructors(self.lesson, MISTAKES)}, {exercise.function}: {told}") from None
            self._modules[source] = module_of(source, instructors(self.lesson, SOLUTION), names)
        return self._modules[source]

    def inputs(self, exercise: Exercise, case: str, seed: int = 0) -> dict[str, Any]:
        """The inputs of a case, flat. Seed 0 is the public one."""
        path, what = instructors(self.lesson, GENERATE), f"{exercise.key}, case {case}, seed {seed}"
        family = getattr(self.generate, exercise.function, None)
        if family is None:
            told = say("authors.no_family", name=exercise.function, key=exercise.key)
            raise AuthoringError(f"{path}: {told}")
        numbers = [zlib.crc32(f"{exercise.key} {case}".encode()), seed]
        with in_words(path, what):
            made = family(np.random.default_rng(numbers), case)
        about = {"function": exercise.function, "what": what}
        if not isinstance(made, dict):
            raise AuthoringError(f"{path}: {say('authors.no_arguments', has=_a(made), **about)}")
        for key, names in (("unknown", made.keys() - {*exercise.parameters}),
                           ("lacking", {*exercise.parameters} - made.keys())):  # fmt: skip
            if names:
                raise AuthoringError(f"{path}: {say(f'authors.{key}_argument', name=min(names), **about)}")
        return flatten(made)

    def called(self, exercise: Exercise, module: ModuleType, inputs: Mapping[str, Any]) -> Any:
        """What `module` answers. Whatever it raises is raised."""
        given = nest(copy.deepcopy(dict(inputs)))
        drive = getattr(self.driver, f"drive_{exercise.function}", None)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return drive(module, **given) if drive else getattr(module, exercise.function)(**given)

    def outputs(self, exercise: Exercise, module: ModuleType, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What `module` answers, flat, by the names of the manifest."""
        return named(flatten(self.called(exercise, module, inputs)), exercise.layout, tuple(exercise.returns))

    def case(self, exercise: Exercise, name: str, seed: int = 0) -> Case:
        """A case with the solution's outputs, as `returns` orders them. Raises AuthoringError where they do not fit."""
        module = self.module(exercise)
        assert module is not None
        inputs = self.inputs(exercise, name, seed)
        with in_words(instructors(self.lesson, SOLUTION), f"{exercise.key}, case {name}, seed {seed}"):
            outputs = self.outputs(exercise, module, inputs)
        tops = [output.partition(".")[0] for output in exercise.returns]
        if strangers := [output for output in outputs if output.partition(".")[0] not in tops]:
            told = say("authors.unknown_return", what=f"{exercise.key}, case {name}", name=strangers[0])
            raise AuthoringError(f"{instructors(self.lesson, SOLUTION)}: {told}")
        ordered = sorted(outputs, key=lambda output: tops.index(output.partition(".")[0]))
        return Case(name, inputs, {output: np.asarray(outputs[output]) for output in ordered})

    def cases(self, exercise: Exercise, seed: int = 0, together: int = 3) -> Cases:
        """Every case of an exercise, the right answers, and what its mistakes do, up to so many `together`."""
        scored = tuple(self.case(exercise, name, seed) for name in exercise.cases)
        probes = {name: self.case(exercise, name, seed) for name in exercise.probes}
        explanations, marks = self._explained(exercise, scored, together)
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

    def _explained(
        self, exercise: Exercise, scored: Sequence[Case], together: int
    ) -> tuple[tuple[tuple[str, ...], ...], np.ndarray]:
        found: list[tuple[str, ...]] = []
        rows: list[np.ndarray] = []
        mistakes = [mistake.name for mistake in exercise.mistakes]
        for names in (names for count in range(1, together + 1) for names in combinations(mistakes, count)):
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


def _a(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of `flatten`: `{"p.b": 1, "grads.0": 2}` -> `{"p": {"b": 1}, "grads": [2]}`."""
    return nested(((path, "plain", value) for path, value in flat.items()), {})


def lesson_cases(lesson: Lesson, seed: int = 0) -> dict[str, Cases]:
    """The cases of every exercise of a lesson, by function. Seed 0 gives the public ones, any other hidden ones."""
    bench = Bench(lesson)
    return {exercise.function: bench.cases(exercise, seed) for exercise in lesson.exercises}


def case_file(lesson: Lesson) -> bytes:
    """The bytes of the lesson's cases.npz."""
    return pack(lesson_cases(lesson))


__all__ = ["Bench", "case_file", "lesson_cases", "mistaken"]
